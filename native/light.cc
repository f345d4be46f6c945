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

}  // namespace

bool LightChanged(const LightQuestion& q) {
  const double area_px = static_cast<double>(q.background.size());
  if (q.foreground_px > kGlobalRatio * area_px) return true;
  if (q.foreground_px < kLightRatio * area_px) return false;
  constexpr int kPixels = kBlockPx * kBlockPx;
  int textured = 0;
  int alike = 0;
  for (int top = 0; top + kBlockPx <= q.height_px; top += kBlockPx) {
    for (int left = 0; left + kBlockPx <= q.width_px; left += kBlockPx) {
      int fg = 0;
      int64_t sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
      for (int y = top; y < top + kBlockPx; ++y) {
        const size_t offset = static_cast<size_t>(y) * static_cast<size_t>(q.width_px) + static_cast<size_t>(left);
        for (size_t i = offset; i < offset + kBlockPx; ++i) {
          const int a = q.luma[i];
          const int b = q.background[i] >> 8;
          fg += q.foreground[i];
          sum_a += a;
          sum_b += b;
          sum_aa += a * a;
          sum_bb += b * b;
          sum_ab += a * b;
        }
      }
      if (fg * 2 < kPixels) continue;
      const auto var_a = static_cast<double>(kPixels * sum_aa - sum_a * sum_a);
      const auto var_b = static_cast<double>(kPixels * sum_bb - sum_b * sum_b);
      // Deviation below two levels is noise, not texture.
      constexpr double kMinVariance = 4.0 * kPixels * kPixels;
      if (var_a < kMinVariance && var_b < kMinVariance) continue;
      ++textured;
      const auto covariance = static_cast<double>(kPixels * sum_ab - sum_a * sum_b);
      if (covariance > 0 && covariance * covariance > 0.5 * var_a * var_b) ++alike;
    }
  }
  // With next to no texture the two can't be told apart, and a wall close by is likelier than a lamp to be missed.
  return textured >= 16 && alike * 10 >= textured * 6;
}

}  // namespace latchkey
