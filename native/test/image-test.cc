// Letterbox and colour conversion against slow references.
#include "../image.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "check.h"

namespace {

using latchkey::Box;
using latchkey::ColourMatrix;
using latchkey::Letterbox;
using latchkey::YuvPicture;

std::vector<uint8_t> Flat(int width, int height, uint8_t y, uint8_t u, uint8_t v) {
  const size_t area = static_cast<size_t>(width) * height;
  std::vector<uint8_t> bytes(area * 3 / 2, y);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(area), area / 4, u);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(area + area / 4), area / 4, v);
  return bytes;
}

TEST("known colours come out right") {
  struct Known {
    ColourMatrix matrix;
    uint8_t y, u, v;
    int r, g, b;
  };
  const Known table[] = {
      {ColourMatrix::kBt601, 16, 128, 128, 0, 0, 0},     {ColourMatrix::kBt601, 235, 128, 128, 255, 255, 255},
      {ColourMatrix::kBt601, 81, 90, 240, 255, 0, 0},    {ColourMatrix::kBt601, 145, 54, 34, 0, 255, 0},
      {ColourMatrix::kBt601, 41, 240, 110, 0, 0, 255},   {ColourMatrix::kBt709, 63, 102, 240, 255, 0, 0},
      {ColourMatrix::kBt709, 173, 42, 26, 0, 255, 0},    {ColourMatrix::kBt709, 32, 240, 118, 0, 0, 255},
  };
  Letterbox letterbox;
  for (const Known& k : table) {
    const auto bytes = Flat(64, 32, k.y, k.u, k.v);
    const YuvPicture picture = {64, 32, bytes};
    std::vector<uint8_t> rgb(64 * 32 * 3);
    CHECK(YuvToRgb(picture, k.matrix, rgb));
    CHECK(std::abs(rgb[0] - k.r) <= 2 && std::abs(rgb[1] - k.g) <= 2 && std::abs(rgb[2] - k.b) <= 2);
    std::vector<float> tensor(3 * 32 * 32);
    CHECK(letterbox.Fill(picture, {0, 0, 64, 32}, 32, k.matrix, tensor) == 0.5);
    CHECK(std::abs(tensor[0] - static_cast<float>(k.b)) <= 2);
    CHECK(std::abs(tensor[1024] - static_cast<float>(k.g)) <= 2);
    CHECK(std::abs(tensor[2048] - static_cast<float>(k.r)) <= 2);
  }
}

TEST("the rest of the square is padded") {
  const auto bytes = Flat(64, 32, 235, 128, 128);
  std::vector<float> tensor(3 * 64 * 64, -1);
  Letterbox letterbox;
  CHECK(letterbox.Fill({64, 32, bytes}, {0, 0, 64, 32}, 64, ColourMatrix::kBt601, tensor) == 1);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 64; ++y) {
      for (int x = 0; x < 64; ++x) {
        const float v = tensor[static_cast<size_t>((c * 64 + y) * 64 + x)];
        CHECK(y < 32 ? std::abs(v - 255) < 0.1F : v == 114.0F);
      }
    }
  }
  CHECK(letterbox.Fill({64, 32, bytes}, {10, 0, 8, 32}, 64, ColourMatrix::kBt601, tensor) == 2);
  CHECK(tensor[15] > 254 && tensor[16] == 114.0F && tensor[63 * 64 + 15] > 254);
}

// Grey pictures: the tensor must equal a plain area average (shrinking) of the luma, scaled to full range.
TEST("shrinking is an area average and crops are where they should be") {
  std::mt19937 random(2);
  auto bytes = Flat(96, 64, 0, 128, 128);
  for (size_t i = 0; i < 96 * 64; ++i) bytes[i] = static_cast<uint8_t>(16 + random() % 220);
  const YuvPicture picture = {96, 64, bytes};
  std::vector<float> tensor(3 * 32 * 32);
  Letterbox letterbox;
  for (int round = 0; round < 60; ++round) {
    Box crop;
    crop.w = 33 + static_cast<int>(random() % 60);
    crop.h = 2 + static_cast<int>(random() % 62);
    crop.x = static_cast<int>(random() % static_cast<unsigned>(96 - crop.w + 1));
    crop.y = static_cast<int>(random() % static_cast<unsigned>(64 - crop.h + 1));
    const double scale = letterbox.Fill(picture, crop, 32, ColourMatrix::kBt601, tensor);
    CHECK(std::abs(scale - 32.0 / std::max(crop.w, crop.h)) < 1e-12);
    const int width = std::max(1, static_cast<int>(std::lround(crop.w * scale)));
    const int height = std::max(1, static_cast<int>(std::lround(crop.h * scale)));
    if (height >= crop.h || width >= crop.w) continue;
    for (int oy = 0; oy < height; ++oy) {
      for (int ox = 0; ox < width; ++ox) {
        const double x0 = crop.x + static_cast<double>(crop.w) * ox / width;
        const double x1 = crop.x + static_cast<double>(crop.w) * (ox + 1) / width;
        const double y0 = crop.y + static_cast<double>(crop.h) * oy / height;
        const double y1 = crop.y + static_cast<double>(crop.h) * (oy + 1) / height;
        double sum = 0;
        double area = 0;
        for (int y = static_cast<int>(y0); y < std::ceil(y1 - 1e-9); ++y) {
          for (int x = static_cast<int>(x0); x < std::ceil(x1 - 1e-9); ++x) {
            const double part = (std::min(x1, x + 1.0) - std::max(x0, 1.0 * x)) *
                                (std::min(y1, y + 1.0) - std::max(y0, 1.0 * y));
            sum += part * bytes[static_cast<size_t>(y) * 96 + static_cast<size_t>(x)];
            area += part;
          }
        }
        const double wanted = std::clamp((sum / area - 16) * 255 / 219, 0.0, 255.0);
        CHECK(std::abs(tensor[static_cast<size_t>(oy) * 32 + static_cast<size_t>(ox)] - wanted) < 0.05);
      }
    }
  }
}

TEST("enlarging interpolates and stays within the range of its neighbours") {
  auto bytes = Flat(16, 16, 16, 128, 128);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) bytes[static_cast<size_t>(y * 16 + x)] = static_cast<uint8_t>(16 + x * 10);
  }
  std::vector<float> tensor(3 * 64 * 64);
  Letterbox letterbox;
  CHECK(letterbox.Fill({16, 16, bytes}, {0, 0, 16, 16}, 64, ColourMatrix::kBt601, tensor) == 4);
  for (int x = 1; x < 64; ++x) CHECK(tensor[static_cast<size_t>(x)] >= tensor[static_cast<size_t>(x - 1)]);
  CHECK(std::abs(tensor[30] - static_cast<float>((7.125 * 10) * 255 / 219)) < 0.1F);
}

TEST("wrong arguments are refused") {
  const auto bytes = Flat(64, 32, 100, 128, 128);
  const YuvPicture good = {64, 32, bytes};
  std::vector<float> tensor(3 * 32 * 32);
  std::vector<uint8_t> rgb(64 * 32 * 3);
  Letterbox letterbox;
  const auto fill = [&](const YuvPicture& p, const Box& crop, int side) {
    return letterbox.Fill(p, crop, side, ColourMatrix::kBt601, tensor);
  };
  CHECK(fill(good, {0, 0, 64, 32}, 32) > 0);
  CHECK(fill(good, {63, 31, 1, 1}, 32) > 0);
  CHECK(fill(good, {0, 0, 65, 32}, 32) == 0);
  CHECK(fill(good, {-1, 0, 10, 10}, 32) == 0);
  CHECK(fill(good, {0, 0, 0, 10}, 32) == 0);
  CHECK(fill(good, {2147483647, 0, 2147483647, 10}, 32) == 0);
  CHECK(fill(good, {0, 0, 64, 32}, 33) == 0);
  CHECK(fill(good, {0, 0, 64, 32}, -32) == 0);
  CHECK(fill({63, 32, bytes}, {0, 0, 10, 10}, 32) == 0);
  CHECK(fill({64, 34, bytes}, {0, 0, 10, 10}, 32) == 0);
  CHECK(fill({-64, -32, bytes}, {0, 0, 10, 10}, 32) == 0);
  CHECK(!YuvToRgb(good, ColourMatrix::kBt601, std::span(rgb).first(100)));
  CHECK(!YuvToRgb({64, 34, bytes}, ColourMatrix::kBt601, rgb));
}

}  // namespace
