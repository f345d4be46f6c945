// Detection zones: polygons in shares of the picture, drawn once into a mask of one byte a pixel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace latchkey {

struct Point {
  double x = 0;  // 0..1 of the width
  double y = 0;  // 0..1 of the height
};

using Polygon = std::vector<Point>;

// 1 where the pixel's centre lies in any of the polygons (even-odd rule within one), else 0. Without polygons every
// pixel is inside.
std::vector<uint8_t> DrawZones(std::span<const Polygon> zones, int width_px, int height_px);

}  // namespace latchkey
