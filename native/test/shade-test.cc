// What the measures of blocks say, and which foreground goes because it is only another light.
#include "../shade.h"

#include <algorithm>
#include <random>
#include <vector>

#include "../ghost.h"
#include "../moments.h"
#include "check.h"
#include "scene.h"

namespace {

using latchkey::Box;
using latchkey::Moments;

constexpr int kWidth = 164;  // no multiple of blocks
constexpr int kHeight = 93;
constexpr size_t kArea = static_cast<size_t>(kWidth) * kHeight;

TEST("moments and counts are what plain sums give, at the extremes too") {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint8_t> luma(20 * 8), ones(20 * 8);
    std::vector<uint16_t> background(20 * 8);
    for (size_t i = 0; i < luma.size(); ++i) {
      luma[i] = static_cast<uint8_t>(round == 0 ? 255 : random());
      background[i] = static_cast<uint16_t>(round == 0 ? 0xffff : random());
      ones[i] = static_cast<uint8_t>(round == 0 ? 1 : random() % 2);
    }
    Moments wanted;
    int count = 0;
    for (size_t y = 0; y < 8; ++y) {
      for (size_t x = 3; x < 11; ++x) {
        const int a = luma[20 * y + x];
        const int b = background[20 * y + x] >> 8;
        wanted.a += a, wanted.b += b, wanted.aa += a * a, wanted.bb += b * b, wanted.ab += a * b;
        count += ones[20 * y + x];
      }
    }
    const Moments got = latchkey::MomentsOf(luma.data() + 3, background.data() + 3, 20);
    CHECK(got.a == wanted.a && got.b == wanted.b && got.aa == wanted.aa && got.bb == wanted.bb && got.ab == wanted.ab);
    CHECK(latchkey::CountOnes(ones.data() + 3, 20) == count);
  }
}

struct Frame {
  explicit Frame(const std::vector<uint8_t>& wall) : background(kArea), noise(kArea, 4096), age(kArea, 9) {
    for (size_t i = 0; i < kArea; ++i) background[i] = static_cast<uint16_t>(wall[i] << 8);
  }

  // Foreground is what differs by more than ten levels.
  int Apply(const std::vector<uint8_t>& seen, uint32_t follow) {
    luma = seen;
    mask.assign(kArea, 0);
    counts.assign(kHeight, 0);
    for (size_t i = 0; i < kArea; ++i) {
      mask[i] = std::abs(luma[i] - (background[i] >> 8)) > 10 ? 1 : 0;
      counts[i / kWidth] += mask[i];
    }
    return filter.Apply({luma, background, noise, age, mask, counts, follow, 20, grace}).dropped_px;
  }

  int Left() const { return static_cast<int>(std::count(mask.begin(), mask.end(), 1)); }

  std::vector<uint8_t> luma, mask;
  std::vector<uint16_t> background, noise;
  std::vector<uint8_t> age;
  std::vector<int32_t> counts;
  bool grace = false;
  latchkey::ShadeFilter filter{kWidth, kHeight};
};

TEST("a shadow that keeps the wall's texture goes, edges of the picture included, and the background follows") {
  scene::Scene scene(kWidth, kHeight);
  Frame frame(scene.Frame(0));
  const std::vector<uint8_t> darker = scene.Frame(1, 0.75);
  CHECK(frame.Apply(darker, 0) > static_cast<int>(kArea) * 9 / 10);
  CHECK(frame.Left() == 0);
  CHECK(frame.background[kArea / 2] >> 8 == scene.Frame(0)[kArea / 2]);
  frame.grace = true;
  CHECK(frame.Apply(darker, 256) == 0);
  frame.grace = false;
  frame.Apply(darker, 256);
  CHECK(std::abs((frame.background[kArea / 2] >> 8) - darker[kArea / 2]) <= 1 && frame.age[kArea / 2] == 0);
}

TEST("somebody in front of the wall stays, in that shadow too") {
  scene::Scene scene(kWidth, kHeight);
  const Box visitor = {60, 20, 24, 60};
  Frame frame(scene.Frame(0));
  frame.Apply(scene.Frame(1, 1, 0, visitor), 0);
  CHECK(frame.Left() > visitor.w * visitor.h * 9 / 10);
  frame.Apply(scene.Frame(1, 0.75, 0, visitor), 0);
  CHECK(frame.Left() > visitor.w * visitor.h * 9 / 10 && frame.Left() < static_cast<int>(kArea) * 2 / 3);
}

TEST("nothing is taken from an empty mask, and a wall that loses its texture stays") {
  scene::Scene scene(kWidth, kHeight);
  Frame frame(scene.Frame(0));
  CHECK(frame.Apply(scene.Frame(1), 256) == 0);
  CHECK(frame.Apply(std::vector<uint8_t>(kArea, 170), 256) == 0);
  CHECK(frame.Left() > static_cast<int>(kArea) / 2);
}

TEST("an outline is the picture's around somebody, and the background's where somebody has been") {
  scene::Scene scene(kWidth, kHeight);
  const Box place = {60, 20, 24, 60};
  const std::vector<uint8_t> empty = scene.Frame(0);
  const std::vector<uint8_t> there = scene.Frame(0, 1, 0, place);
  std::vector<uint8_t> mask(kArea);
  for (int y = place.y; y < place.y + place.h; ++y) std::fill_n(mask.begin() + y * kWidth + place.x, place.w, uint8_t{1});
  std::vector<uint16_t> background(kArea);
  const auto asks = [&](const std::vector<uint8_t>& now, const std::vector<uint8_t>& before, const Box& box) {
    for (size_t i = 0; i < kArea; ++i) background[i] = static_cast<uint16_t>(before[i] << 8);
    return latchkey::OutlineIsBackgrounds({kWidth, now, background, mask}, box);
  };

  CHECK(!asks(there, empty, place));
  CHECK(asks(empty, there, place));
  // At the picture's edge nothing is read beyond it; without an outline nothing is said.
  CHECK(!asks(empty, there, {0, 0, 3, kHeight}));
  CHECK(!asks(empty, there, {kWidth - 5, 0, 5, kHeight}));
}

}  // namespace
