// Synthetic luma pictures: a textured wall with sensor noise, and rectangles that stand for visitors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "../components.h"

namespace scene {

class Scene {
 public:
  Scene(int width, int height, uint32_t seed = 1) : width_(width), height_(height), random_(seed) {
    wall_.resize(static_cast<size_t>(width) * height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int brick = ((x / 12 + y / 7) % 2) * 30;
        wall_[static_cast<size_t>(y) * width + x] = 80 + brick + (x * 20) / width;
      }
    }
  }

  // `gain` and `offset` change the light; noise is uniform within ±noise levels.
  std::vector<uint8_t> Frame(int noise, double gain = 1, double offset = 0, latchkey::Box visitor = {},
                             int visitor_level = 190) {
    std::uniform_int_distribution<int> jitter(-noise, noise);
    std::vector<uint8_t> frame(wall_.size());
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const size_t i = static_cast<size_t>(y) * width_ + x;
        const bool inside = x >= visitor.x && x < visitor.x + visitor.w && y >= visitor.y && y < visitor.y + visitor.h;
        const double level = (inside ? visitor_level : wall_[i]) * gain + offset + jitter(random_);
        frame[i] = static_cast<uint8_t>(std::clamp(level, 16.0, 235.0));
      }
    }
    return frame;
  }

 private:
  int width_;
  int height_;
  std::mt19937 random_;
  std::vector<int> wall_;
};

}  // namespace scene
