// Tells what is there from what has left: around somebody, the picture has an outline; around the place that somebody
// has left, only the background still has one.
#pragma once

#include <cstdint>
#include <span>

#include "components.h"

namespace latchkey {

struct OutlineQuestion {
  int width_px;
  std::span<const uint8_t> luma;
  std::span<const uint16_t> background;  // 8.8
  std::span<const uint8_t> mask;         // 0 or 1
};

// Whether the mask's outline within the box is an edge of the background much more than one of the picture.
bool OutlineIsBackgrounds(const OutlineQuestion& question, const Box& box);

}  // namespace latchkey
