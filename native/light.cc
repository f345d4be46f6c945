// A lamp changes brightness but not structure: in most changed blocks that have any texture, picture and background
// still correlate. Something that covers the view does not.
#include "light.h"

#include <cstddef>

namespace latchkey {

namespace {

// More of the picture than this is never one visitor.
constexpr double kGlobalRatio = 0.8;
// From this share on, the change is tested for being one of light only.
constexpr double kLightRatio = 0.25;
constexpr int kBlockPx = 8;

constexpr int kBlockArea = kBlockPx * kBlockPx;
// Of a block that counts; deviation below two levels is noise, not texture.
constexpr int kMinForeground = kBlockArea / 2;
constexpr int kMinVariance = 4 * kBlockArea * kBlockArea;
// Fewer textured blocks than this prove nothing.
constexpr int kMinTextured = 16;

// Of luma and background within a block; every sum and variance fits 32 bits.
struct Moments {
  int32_t a = 0, b = 0, aa = 0, bb = 0, ab = 0;
};

int ForegroundOf(const LightQuestion& q, size_t corner) {
  int count = 0;
  for (int y = 0; y < kBlockPx; ++y, corner += static_cast<size_t>(q.width_px)) {
    for (size_t x = 0; x < kBlockPx; ++x) count += q.foreground[corner + x];
  }
  return count;
}

Moments MomentsOf(const LightQuestion& q, size_t corner) {
  Moments m;
  for (int y = 0; y < kBlockPx; ++y, corner += static_cast<size_t>(q.width_px)) {
    const uint8_t* const luma = q.luma.data() + corner;
    const uint16_t* const background = q.background.data() + corner;
    for (int x = 0; x < kBlockPx; ++x) {
      const int32_t a = luma[x];
      const int32_t b = background[x] >> 8;
      m.a += a;
      m.b += b;
      m.aa += a * a;
      m.bb += b * b;
      m.ab += a * b;
    }
  }
  return m;
}

}  // namespace

// Whole numbers throughout: every processor gives the same answer.
bool LightChanged(const LightQuestion& q) {
  const double area_px = static_cast<double>(q.background.size());
  if (q.foreground_px > kGlobalRatio * area_px) return true;
  if (q.foreground_px < kLightRatio * area_px) return false;
  int textured = 0;
  int alike = 0;
  for (int top = 0; top + kBlockPx <= q.height_px; top += kBlockPx) {
    for (int left = 0; left + kBlockPx <= q.width_px; left += kBlockPx) {
      const size_t corner = static_cast<size_t>(top) * static_cast<size_t>(q.width_px) + static_cast<size_t>(left);
      if (ForegroundOf(q, corner) < kMinForeground) continue;
      const Moments m = MomentsOf(q, corner);
      const int64_t variance_a = kBlockArea * m.aa - m.a * m.a;
      const int64_t variance_b = kBlockArea * m.bb - m.b * m.b;
      if (variance_a < kMinVariance && variance_b < kMinVariance) continue;
      ++textured;
      // A correlation above the square root of a half.
      const int64_t covariance = kBlockArea * m.ab - m.a * m.b;
      if (covariance > 0 && 2 * covariance * covariance > variance_a * variance_b) ++alike;
    }
  }
  // With next to no texture the two can't be told apart, and a wall close by is likelier than a lamp to be missed.
  return textured >= kMinTextured && alike * 10 >= textured * 6;
}

}  // namespace latchkey
