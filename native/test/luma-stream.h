// Raw luma frames on standard input, and the arguments WIDTH HEIGHT FPS that say what they are.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace luma {

struct Stream {
  int width_px = 0;
  int height_px = 0;
  double fps = 0;

  // False where the arguments are missing or unusable.
  bool Parse(int argument_count, char** arguments) {
    if (argument_count < 4) return false;
    width_px = std::atoi(arguments[1]);
    height_px = std::atoi(arguments[2]);
    fps = std::atof(arguments[3]);
    return width_px > 0 && width_px <= 4096 && height_px > 0 && height_px <= 4096 && fps > 0;
  }

  // False at the end of the input; an incomplete frame is left out.
  bool Read(std::vector<uint8_t>* frame) const {
    frame->resize(static_cast<size_t>(width_px) * static_cast<size_t>(height_px));
    return std::fread(frame->data(), 1, frame->size(), stdin) == frame->size();
  }
};

}  // namespace luma
