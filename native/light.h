// Tells a change of light over much of the picture from something that came into it.
#pragma once

#include <cstdint>
#include <span>

namespace latchkey {

struct LightQuestion {
  int width_px;
  int height_px;
  std::span<const uint8_t> luma;
  std::span<const uint16_t> background;  // 8.8
  std::span<const uint8_t> foreground;   // 0 or 1
  int foreground_px;                     // how many are 1
};

bool LightChanged(const LightQuestion& question);

}  // namespace latchkey
