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

// The sum of eight bytes, which has to fit one.
inline uint8_t SumOfBytes(const uint8_t* eight) {
  uint64_t word;
  __builtin_memcpy(&word, eight, sizeof word);
  return static_cast<uint8_t>(word * 0x0101010101010101U >> 56);
}

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

inline int64_t SumOfEight(const uint16_t* numbers) {
  constexpr uint64_t kEvery = 0x0000ffff0000ffffU;
  uint64_t low, high;
  __builtin_memcpy(&low, numbers, sizeof low);
  __builtin_memcpy(&high, numbers + 4, sizeof high);
  const uint64_t two = (low & kEvery) + (low >> 16 & kEvery) + (high & kEvery) + (high >> 16 & kEvery);
  return static_cast<int64_t>((two & 0xffffffffU) + (two >> 32));
}

}  // namespace latchkey
