// Turns a planar YUV 4:2:0 picture (limited range) into what a detector or a thumbnail needs. Plain C++, no Node.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "components.h"

namespace latchkey {

enum class ColourMatrix : int32_t { kBt601 = 0, kBt709 = 1 };

// Width and height are even; `bytes` holds Y, then U, then V: width * height * 3 / 2.
struct YuvPicture {
  int width_px = 0;
  int height_px = 0;
  std::span<const uint8_t> bytes;

  bool Valid() const;
};

inline constexpr int kMaxPictureSidePx = 8192;
inline constexpr int kMinTensorSidePx = 32;
inline constexpr int kMaxTensorSidePx = 1280;
inline constexpr float kPadLevel = 114.0F;

// Crops and resizes into square tensors. Keeps its scratch memory, so one object serves one thread.
class Letterbox {
 public:
  // Fills `out` (3 * side * side floats, planes blue, green, red, 0..255) with the crop scaled to fit at the top left;
  // the rest is kPadLevel. Shrinks by area average, enlarges bilinearly. Returns tensor pixels per picture pixel, or 0
  // when an argument is not valid.
  double Fill(const YuvPicture& picture, const Box& crop, int side_px, ColourMatrix matrix, std::span<float> out);

 private:
  // One output sample is a weighted sum of `taps` neighbouring input samples from `first`, as many for each, so that the
  // loop over them has no branch. Where fewer count, or the picture ends, the rest weighs nothing.
  struct Axis {
    int taps = 1;
    std::vector<int> first;
    std::vector<float> weights;  // weights[k * first.size() + i] of output i's k-th sample
    int Left() const { return first.front(); }
    int Right() const { return first.back() + taps; }
  };

  static void Plan(double offset, double span, int limit, int out_size, Axis* axis);
  static void PlanOne(double offset, double step, int limit, int i, Axis* axis);
  void ResizePlane(const uint8_t* plane, int stride, int out_width, const Axis& x_axis, const Axis& y_axis,
                   std::vector<float>* out);

  Axis luma_x_, luma_y_, chroma_x_, chroma_y_;
  std::vector<float> row_;
  std::vector<float> luma_, blue_, red_;
};

// Writes width * height * 3 bytes of red, green, blue. False when a size does not fit.
bool YuvToRgb(const YuvPicture& picture, ColourMatrix matrix, std::span<uint8_t> out);

}  // namespace latchkey
