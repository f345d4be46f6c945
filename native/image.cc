// Separable resampling of the three planes, then one colour conversion per output pixel.
#include "image.h"

#include <algorithm>
#include <cmath>

namespace latchkey {

namespace {

// Limited range (ITU-R BT.601-7 and BT.709-6): luma 16..235, chroma 16..240 around 128.
struct Coefficients {
  float red_v, green_u, green_v, blue_u;
};
constexpr float kLumaScale = 255.0F / 219.0F;

constexpr Coefficients CoefficientsOf(ColourMatrix matrix) {
  const float kr = matrix == ColourMatrix::kBt709 ? 0.2126F : 0.299F;
  const float kb = matrix == ColourMatrix::kBt709 ? 0.0722F : 0.114F;
  const float kg = 1.0F - kr - kb;
  constexpr float kChroma = 255.0F / 224.0F;
  return {2 * (1 - kr) * kChroma, -2 * (1 - kb) * kb / kg * kChroma, -2 * (1 - kr) * kr / kg * kChroma,
          2 * (1 - kb) * kChroma};
}

// As a sum of absolute values, which vectorises where comparisons of floats don't. Within 2^-16 of the exact clamp.
inline float Clamp255(float v) { return 0.5F * (std::fabs(v) - std::fabs(v - 255.0F) + 255.0F); }

}  // namespace

bool YuvPicture::Valid() const {
  if (width_px < 2 || height_px < 2 || width_px > kMaxPictureSidePx || height_px > kMaxPictureSidePx) return false;
  if (width_px % 2 != 0 || height_px % 2 != 0) return false;
  return bytes.size() == static_cast<size_t>(width_px) * static_cast<size_t>(height_px) * 3 / 2;
}

void Letterbox::Plan(double offset, double span, int limit, int out_size, Axis* axis) {
  const double step = span / out_size;
  const bool same = step == 1 && offset == std::floor(offset);
  const int widest = step > 1 ? static_cast<int>(std::ceil(step)) + 1 : (same ? 1 : 2);
  axis->taps = std::min(widest, limit);
  axis->first.assign(static_cast<size_t>(out_size), 0);
  axis->weights.assign(static_cast<size_t>(out_size) * static_cast<size_t>(axis->taps), 0.0F);
  for (int i = 0; i < out_size; ++i) PlanOne(offset, step, limit, i, axis);
}

void Letterbox::PlanOne(double offset, double step, int limit, int i, Axis* axis) {
  const size_t out_size = axis->first.size();
  const int last_first = limit - axis->taps;
  const auto weigh = [&](int sample, double weight) {
    const auto k = static_cast<size_t>(sample - axis->first[static_cast<size_t>(i)]);
    axis->weights[k * out_size + static_cast<size_t>(i)] = static_cast<float>(weight);
  };
  const auto start_at = [&](int sample) { axis->first[static_cast<size_t>(i)] = std::min(sample, last_first); };
  if (step <= 1) {
    const double centre = std::clamp(offset + (i + 0.5) * step - 0.5, 0.0, limit - 1.0);
    const int first = std::min(static_cast<int>(centre), limit - 1);
    const auto part = static_cast<float>(centre - first);
    start_at(first);
    weigh(first, 1 - part);
    if (part > 0 && first + 1 < limit) weigh(first + 1, part);
    return;
  }
  const double from = std::clamp(offset + i * step, 0.0, static_cast<double>(limit));
  const double to = std::clamp(offset + (i + 1) * step, 0.0, static_cast<double>(limit));
  const int first = std::min(static_cast<int>(from), limit - 1);
  const int end = std::clamp(static_cast<int>(std::ceil(to)), first + 1, std::min(limit, first + axis->taps));
  start_at(first);
  const auto part_of = [&](int s) {
    return std::max(0.0, std::min(to, s + 1.0) - std::max(from, static_cast<double>(s)));
  };
  double sum = 0;
  for (int s = first; s < end; ++s) sum += part_of(s);
  if (sum <= 0) return weigh(first, 1);
  for (int s = first; s < end; ++s) weigh(s, part_of(s) / sum);
}

namespace {

// `kTaps` of 0 stands for any number.
template <int kTaps>
void SumAcross(const float* __restrict row, int left, const int* __restrict first, const float* __restrict weights,
               int count, int any_taps, float* __restrict to) {
  const int taps = kTaps > 0 ? kTaps : any_taps;
  for (int i = 0; i < count; ++i) {
    const float* in = row + (first[i] - left);
    float sum = weights[i] * in[0];
    for (int k = 1; k < taps; ++k) sum += weights[static_cast<ptrdiff_t>(k) * count + i] * in[k];
    to[i] = sum;
  }
}

}  // namespace

// Rows first: a row of the plane is needed by one or two output rows, so the vertical sum runs over whole rows of
// floats and vectorises; the horizontal sum then has only `out rows` rows to do.
void Letterbox::ResizePlane(const uint8_t* plane, int stride, int out_width, const Axis& x_axis, const Axis& y_axis,
                            std::vector<float>* out) {
  const int left = x_axis.Left();
  const int span = x_axis.Right() - left;
  const size_t out_height = y_axis.first.size();
  row_.resize(static_cast<size_t>(span));
  out->resize(static_cast<size_t>(out_width) * out_height);
  float* __restrict row = row_.data();
  float* to = out->data();
  const int* first = x_axis.first.data();
  const float* weights = x_axis.weights.data();
  for (size_t y = 0; y < out_height; ++y, to += out_width) {
    for (int k = 0; k < y_axis.taps; ++k) {
      const uint8_t* __restrict in = plane + static_cast<ptrdiff_t>(y_axis.first[y] + k) * stride + left;
      const float weight = y_axis.weights[static_cast<size_t>(k) * out_height + y];
      if (k == 0) {
        for (int x = 0; x < span; ++x) row[x] = weight * static_cast<float>(in[x]);
      } else if (weight != 0) {
        for (int x = 0; x < span; ++x) row[x] += weight * static_cast<float>(in[x]);
      }
    }
    switch (x_axis.taps) {
      case 1: SumAcross<1>(row, left, first, weights, out_width, 1, to); break;
      case 2: SumAcross<2>(row, left, first, weights, out_width, 2, to); break;
      case 3: SumAcross<3>(row, left, first, weights, out_width, 3, to); break;
      case 4: SumAcross<4>(row, left, first, weights, out_width, 4, to); break;
      default: SumAcross<0>(row, left, first, weights, out_width, x_axis.taps, to);
    }
  }
}

double Letterbox::Fill(const YuvPicture& picture, const Box& crop, int side_px, ColourMatrix matrix,
                       std::span<float> out) {
  if (!picture.Valid() || side_px < kMinTensorSidePx || side_px > kMaxTensorSidePx) return 0;
  const size_t side = static_cast<size_t>(side_px);
  if (out.size() != side * side * 3) return 0;
  if (crop.x < 0 || crop.y < 0 || crop.w < 1 || crop.h < 1) return 0;
  if (crop.w > picture.width_px - crop.x || crop.h > picture.height_px - crop.y) return 0;

  const double scale = static_cast<double>(side_px) / std::max(crop.w, crop.h);
  const int width = std::clamp(static_cast<int>(std::lround(crop.w * scale)), 1, side_px);
  const int height = std::clamp(static_cast<int>(std::lround(crop.h * scale)), 1, side_px);
  const int chroma_width = picture.width_px / 2;
  const int chroma_height = picture.height_px / 2;
  Plan(crop.x, crop.w, picture.width_px, width, &luma_x_);
  Plan(crop.y, crop.h, picture.height_px, height, &luma_y_);
  Plan(crop.x / 2.0, crop.w / 2.0, chroma_width, width, &chroma_x_);
  Plan(crop.y / 2.0, crop.h / 2.0, chroma_height, height, &chroma_y_);

  const uint8_t* y_plane = picture.bytes.data();
  const uint8_t* u_plane = y_plane + static_cast<size_t>(picture.width_px) * static_cast<size_t>(picture.height_px);
  const uint8_t* v_plane = u_plane + static_cast<size_t>(chroma_width) * static_cast<size_t>(chroma_height);
  ResizePlane(y_plane, picture.width_px, width, luma_x_, luma_y_, &luma_);
  ResizePlane(u_plane, chroma_width, width, chroma_x_, chroma_y_, &blue_);
  ResizePlane(v_plane, chroma_width, width, chroma_x_, chroma_y_, &red_);

  const Coefficients c = CoefficientsOf(matrix);
  for (size_t y = 0; y < side; ++y) {
    float* __restrict b = out.data() + y * side;
    float* __restrict g = b + side * side;
    float* __restrict r = g + side * side;
    size_t x = 0;
    if (y < static_cast<size_t>(height)) {
      const size_t row = y * static_cast<size_t>(width);
      const float* __restrict luma = luma_.data() + row;
      const float* __restrict u_row = blue_.data() + row;
      const float* __restrict v_row = red_.data() + row;
      for (; x < static_cast<size_t>(width); ++x) {
        const float level = (luma[x] - 16.0F) * kLumaScale;
        const float u = u_row[x] - 128.0F;
        const float v = v_row[x] - 128.0F;
        b[x] = Clamp255(level + c.blue_u * u);
        g[x] = Clamp255(level + c.green_u * u + c.green_v * v);
        r[x] = Clamp255(level + c.red_v * v);
      }
    }
    std::fill(b + x, b + side, kPadLevel);
    std::fill(g + x, g + side, kPadLevel);
    std::fill(r + x, r + side, kPadLevel);
  }
  return scale;
}

bool YuvToRgb(const YuvPicture& picture, ColourMatrix matrix, std::span<uint8_t> out) {
  if (!picture.Valid()) return false;
  const size_t width = static_cast<size_t>(picture.width_px);
  const size_t height = static_cast<size_t>(picture.height_px);
  if (out.size() != width * height * 3) return false;
  const Coefficients c = CoefficientsOf(matrix);
  const uint8_t* luma = picture.bytes.data();
  const uint8_t* u_plane = luma + width * height;
  const uint8_t* v_plane = u_plane + width * height / 4;
  uint8_t* to = out.data();
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      const float level = (static_cast<float>(luma[y * width + x]) - 16.0F) * kLumaScale;
      const size_t chroma = (y / 2) * (width / 2) + x / 2;
      const float u = static_cast<float>(u_plane[chroma]) - 128.0F;
      const float v = static_cast<float>(v_plane[chroma]) - 128.0F;
      *to++ = static_cast<uint8_t>(Clamp255(level + c.red_v * v) + 0.5F);
      *to++ = static_cast<uint8_t>(Clamp255(level + c.green_u * u + c.green_v * v) + 0.5F);
      *to++ = static_cast<uint8_t>(Clamp255(level + c.blue_u * u) + 0.5F);
    }
  }
  return true;
}

}  // namespace latchkey
