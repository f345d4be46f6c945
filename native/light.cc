// A lamp changes brightness but not structure: in most changed blocks that have any texture, picture and background
// still correlate. Something that covers the view does not.
#include "light.h"

#include <cstddef>

#include "moments.h"

namespace latchkey {

namespace {

// More of the picture than this is never one visitor.
constexpr double kGlobalRatio = 0.8;
// From this share on, the change is tested for being one of light only.
constexpr double kLightRatio = 0.25;

// Of a block that counts; deviation below two levels is noise, not texture.
constexpr int kMinForeground = kBlockArea / 2;
constexpr int kMinVariance = 4 * kBlockArea * kBlockArea;
// Fewer textured blocks than this prove nothing.
constexpr int kMinTextured = 16;

}  // namespace

// Whole numbers throughout: every processor gives the same answer.
bool LightChanged(const LightQuestion& q) {
  const double area_px = static_cast<double>(q.background.size());
  if (q.foreground_px > kGlobalRatio * area_px) return true;
  if (q.foreground_px < kLightRatio * area_px) return false;
  const size_t width = static_cast<size_t>(q.width_px);
  int textured = 0;
  int alike = 0;
  for (int top = 0; top + kBlockPx <= q.height_px; top += kBlockPx) {
    for (int left = 0; left + kBlockPx <= q.width_px; left += kBlockPx) {
      const size_t corner = static_cast<size_t>(top) * width + static_cast<size_t>(left);
      if (CountOnes(q.foreground.data() + corner, width) < kMinForeground) continue;
      const Moments m = MomentsOf(q.luma.data() + corner, q.background.data() + corner, width);
      const int64_t variance_a = m.VarianceOfLuma();
      const int64_t variance_b = m.VarianceOfBackground();
      if (variance_a < kMinVariance && variance_b < kMinVariance) continue;
      ++textured;
      // A correlation above the square root of a half.
      const int64_t covariance = m.Covariance();
      if (covariance > 0 && 2 * covariance * covariance > variance_a * variance_b) ++alike;
    }
  }
  // With next to no texture the two can't be told apart, and a wall close by is likelier than a lamp to be missed.
  return textured >= kMinTextured && alike * 10 >= textured * 6;
}

}  // namespace latchkey
