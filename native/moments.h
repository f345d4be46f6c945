// How the luma of a block of pixels and its background vary, and whether they vary together. In whole numbers, so that
// every processor gives the same answer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace latchkey {

inline constexpr int kBlockPx = 8;
inline constexpr int kBlockArea = kBlockPx * kBlockPx;

// Sums over a block, `a` of the luma and `b` of the background; every sum and variance fits 32 bits.
struct Moments {
  int32_t a = 0, b = 0, aa = 0, bb = 0, ab = 0;

  // These are kBlockArea squared times what they are called.
  int64_t VarianceOfLuma() const { return kBlockArea * aa - a * a; }
  int64_t VarianceOfBackground() const { return kBlockArea * bb - b * b; }
  int64_t Covariance() const { return kBlockArea * ab - a * b; }
};

// The same numbers with the registers that every processor of the architecture has.
Moments MomentsOf(const uint8_t* luma, const uint16_t* background, size_t stride);

// How many of a block's bytes, each 0 or 1, are 1.
inline int CountOnes(const uint8_t* plane, size_t stride) {
  uint64_t sums = 0;
  for (int y = 0; y < kBlockPx; ++y, plane += stride) {
    uint64_t eight;
    __builtin_memcpy(&eight, plane, sizeof eight);
    sums += eight;
  }
  return static_cast<int>(sums * 0x0101010101010101U >> 56);
}

}  // namespace latchkey
