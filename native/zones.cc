// Scan-line fill: the crossings of a pixel row's centre line with the polygon's edges, taken in pairs.
#include "zones.h"

#include <algorithm>
#include <cmath>

namespace latchkey {

std::vector<uint8_t> DrawZones(std::span<const Polygon> zones, int width_px, int height_px) {
  std::vector<uint8_t> mask(static_cast<size_t>(width_px) * height_px, zones.empty() ? 1 : 0);
  std::vector<double> crossings;
  for (const Polygon& zone : zones) {
    for (int row = 0; row < height_px; ++row) {
      const double y = (row + 0.5) / height_px;
      crossings.clear();
      for (size_t i = 0; i < zone.size(); ++i) {
        const Point& a = zone[i];
        const Point& b = zone[(i + 1) % zone.size()];
        // Half-open in y, so that a shared vertex is crossed once.
        if ((a.y <= y) == (b.y <= y)) continue;
        crossings.push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
      }
      std::sort(crossings.begin(), crossings.end());
      for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
        const int from = std::clamp(static_cast<int>(std::ceil(crossings[i] * width_px - 0.5)), 0, width_px);
        const int to = std::clamp(static_cast<int>(std::ceil(crossings[i + 1] * width_px - 0.5)), 0, width_px);
        if (from < to) {
          std::fill_n(mask.begin() + static_cast<ptrdiff_t>(row) * width_px + from, to - from, uint8_t{1});
        }
      }
    }
  }
  return mask;
}

}  // namespace latchkey
