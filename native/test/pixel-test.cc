// Every kernel that this processor runs gives the bytes of the scalar one, whatever the width, the rates and the state.
#include "../pixel-step.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "../motion.h"
#include "check.h"
#include "scene.h"

namespace {

using latchkey::MotionDetector;
using latchkey::MotionOptions;
using latchkey::MotionResult;
using latchkey::PixelKernel;
using latchkey::PixelKernels;
using latchkey::StepRates;
using latchkey::Track;

// Vectors of exactly the row's width: the address sanitiser sees every access beside it.
struct Model {
  std::vector<uint8_t> luma, age, other, trust, away, foreground;
  std::vector<uint16_t> background, noise;

  latchkey::StepRow Row() {
    return {luma.data(),  background.data(), noise.data(), age.data(),
            other.data(), trust.data(),      away.data(),  foreground.data()};
  }

  bool operator==(const Model&) const = default;
};

// Pictures close to their background as well as far from it, so that every threshold has both sides.
Model RandomModel(size_t width, std::mt19937* random) {
  Model m = {.luma = std::vector<uint8_t>(width),
             .age = std::vector<uint8_t>(width),
             .other = std::vector<uint8_t>(width),
             .trust = std::vector<uint8_t>(width),
             .away = std::vector<uint8_t>(width),
             .foreground = std::vector<uint8_t>(width, 7),
             .background = std::vector<uint16_t>(width),
             .noise = std::vector<uint16_t>(width)};
  const uint32_t spread = 1U << ((*random)() % 9);
  for (size_t x = 0; x < width; ++x) {
    m.luma[x] = static_cast<uint8_t>((*random)());
    m.other[x] = static_cast<uint8_t>(m.luma[x] + (*random)() % spread);
    m.trust[x] = static_cast<uint8_t>((*random)());
    m.away[x] = static_cast<uint8_t>((*random)() % 2);
    const uint32_t near = (static_cast<uint32_t>(m.luma[x]) << 8) + (*random)() % (256 * spread);
    m.background[x] = static_cast<uint16_t>((*random)() % 8 == 0 ? (*random)() : near);
    m.noise[x] = static_cast<uint16_t>((*random)());
    m.age[x] = static_cast<uint8_t>((*random)() % latchkey::kAbsorbTicks);
  }
  return m;
}

StepRates RandomRates(std::mt19937* random) {
  const auto within = [&](int low, int high) { return low + static_cast<int>((*random)() % (high - low + 1U)); };
  const bool settling = within(0, 5) == 0;
  return {.floor = static_cast<uint16_t>(settling ? StepRates::kNeverForeground : within(0, 0xffff)),
          .gain = static_cast<uint16_t>(within(0, 0xffff)),
          .shift = within(1, 15),
          .noise_shift = within(latchkey::kNoiseBits, 15),
          .ticks = static_cast<uint8_t>(within(0, 2) == 0 ? 0 : within(0, latchkey::kMaxTicks))};
}

void CompareRows(const PixelKernel& kernel, size_t width, std::mt19937* random) {
  Model wanted = RandomModel(width, random);
  Model got = wanted;
  const StepRates rates = RandomRates(random);
  const bool learns = (*random)() % 3 != 0;
  const auto step = [&](const PixelKernel& k) { return learns ? k.learn : k.look; };
  const int count = step(latchkey::kScalarKernel)(rates, width, wanted.Row());
  CHECK(step(kernel)(rates, width, got.Row()) == count);
  CHECK(got == wanted);
  for (const uint8_t age : got.age) CHECK(age < latchkey::kAbsorbTicks);

  std::vector<uint8_t> sums(width), wanted_sums(width), zone(width);
  std::vector<std::vector<uint8_t>> rows(5, std::vector<uint8_t>(width));
  latchkey::kScalarKernel.sum(width, got.foreground.data(), wanted_sums.data());
  kernel.sum(width, got.foreground.data(), sums.data());
  CHECK(sums == wanted_sums);
  for (size_t x = 0; x < width; ++x) {
    for (std::vector<uint8_t>& row : rows) row[x] = static_cast<uint8_t>((*random)() % 6);
    zone[x] = static_cast<uint8_t>((*random)() % 2);
  }
  std::vector<uint8_t> mask(width, 7), wanted_mask(width, 7);
  const uint8_t* const five[] = {rows[0].data(), rows[1].data(), sums.data(), rows[3].data(), rows[4].data()};
  const int kept = latchkey::kScalarKernel.clean(width, five, zone.data(), wanted_mask.data());
  CHECK(kernel.clean(width, five, zone.data(), mask.data()) == kept);
  CHECK(mask == wanted_mask);
}

TEST("the scalar kernel comes first, and the processor has another one") {
  CHECK(PixelKernels().front() == &latchkey::kScalarKernel);
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(PixelKernels().size() >= 2);
#endif
}

TEST("every kernel gives the scalar one's rows") {
  for (const PixelKernel* kernel : PixelKernels()) {
    std::mt19937 random(17);
    for (size_t width = PixelKernel::kMinWidthPx; width <= 131; ++width) {
      for (int round = 0; round < 8; ++round) CompareRows(*kernel, width, &random);
    }
    for (int round = 0; round < 20; ++round) CompareRows(*kernel, 132 + random() % 900, &random);
    CompareRows(*kernel, MotionDetector::kMaxSidePx, &random);
  }
}

TEST("every kernel counts a row that is foreground throughout") {
  for (const PixelKernel* kernel : PixelKernels()) {
    constexpr size_t kWidth = MotionDetector::kMaxSidePx;
    std::mt19937 random(1);
    Model m = RandomModel(kWidth, &random);
    m.luma.assign(kWidth, 255);
    m.background.assign(kWidth, 0);
    m.trust.assign(kWidth, 0);
    CHECK(kernel->look({.floor = 256, .gain = 0, .shift = 4, .noise_shift = 7, .ticks = 0}, kWidth, m.Row()) == kWidth);
    const std::vector<uint8_t> sums(kWidth, 5), zone(kWidth, 1);
    const uint8_t* const five[] = {sums.data(), sums.data(), sums.data(), sums.data(), sums.data()};
    CHECK(kernel->clean(kWidth, five, zone.data(), m.foreground.data()) == kWidth);
  }
}

bool SameResult(const MotionResult& a, const MotionResult& b) {
  return a.state == b.state && a.foreground_ratio == b.foreground_ratio &&
         std::ranges::equal(a.tracks, b.tracks, [](const Track& one, const Track& other) {
           return one.id == other.id && one.first_ms == other.first_ms && one.box == other.box;
         });
}

TEST("whole detectors agree on every frame, at every sensitivity and odd sizes") {
  constexpr int kSizes[][2] = {{16, 16}, {17, 19}, {31, 33}, {63, 40}, {97, 45}, {161, 91}};
  std::mt19937 random(23);
  for (const auto [width, height] : kSizes) {
    for (int tenths = 0; tenths <= 10; ++tenths) {
      MotionOptions options;
      options.width_px = width;
      options.height_px = height;
      options.sensitivity = tenths / 10.0;
      options.min_area_ratio = 0.004;
      if (tenths % 2 == 1) options.zones = {{{0.1, 0}, {1, 0.2}, {0.8, 1}, {0, 0.7}}};
      if (tenths % 3 == 1) options.privacy = {{{0.3, 0}, {0.7, 0}, {0.5, 0.5}}};
      std::vector<std::unique_ptr<MotionDetector>> detectors;
      for (const PixelKernel* kernel : PixelKernels()) {
        options.kernel = kernel;
        detectors.push_back(MotionDetector::Create(options));
      }
      scene::Scene scene(width, height, random());
      double time_ms = 0;
      for (int i = 0; i < 40; ++i) {
        time_ms += random() % 5 == 0 ? 3900 : 30 + random() % 400;
        const int x = i * width / 40;
        const std::vector<uint8_t> frame =
            scene.Frame(i % 13 == 12 ? 90 : 4, i < 30 ? 1 : 0.5, 0, {x, height / 4, width / 5, height / 2});
        const MotionResult wanted = detectors[0]->Detect(frame, time_ms);
        const auto mask = detectors[0]->foreground();
        for (size_t k = 1; k < detectors.size(); ++k) {
          CHECK(SameResult(detectors[k]->Detect(frame, time_ms), wanted));
          CHECK(std::equal(mask.begin(), mask.end(), detectors[k]->foreground().begin()));
        }
      }
    }
  }
}

}  // namespace
