// The motion core on synthetic scenes at five frames a second.
#include "../motion.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "check.h"
#include "scene.h"

// Counts allocations, to hold the promise that a frame makes none.
static long g_allocations = 0;
void* operator new(std::size_t size) {
  ++g_allocations;
  void* p = std::malloc(size);
  if (p == nullptr) std::abort();
  return p;
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++g_allocations;
  void* p = nullptr;
  if (posix_memalign(&p, static_cast<std::size_t>(alignment), size) != 0) std::abort();
  return p;
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using latchkey::Box;
using latchkey::MotionDetector;
using latchkey::MotionOptions;
using latchkey::MotionResult;
using latchkey::MotionState;
using scene::Scene;

constexpr int kWidth = 160;
constexpr int kHeight = 96;
constexpr double kFrameMs = 200;

MotionOptions Defaults() {
  MotionOptions options;
  options.width_px = kWidth;
  options.height_px = kHeight;
  options.min_area_ratio = 0.002;
  return options;
}

struct Run {
  explicit Run(const MotionOptions& options = Defaults())
      : detector(MotionDetector::Create(options)), scene(options.width_px, options.height_px) {}

  MotionResult Push(const std::vector<uint8_t>& frame) {
    time_ms += kFrameMs;
    return detector->Detect(frame, time_ms);
  }

  void Settle(int noise = 3) {
    for (int i = 0; i < 20; ++i) Push(scene.Frame(noise));
  }

  std::unique_ptr<MotionDetector> detector;
  Scene scene;
  double time_ms = 0;
};

bool Near(const Box& a, const Box& b, int px) {
  return std::abs(a.x - b.x) <= px && std::abs(a.y - b.y) <= px && std::abs(a.x + a.w - b.x - b.w) <= px &&
         std::abs(a.y + a.h - b.y - b.h) <= px;
}

TEST("options out of range make no detector") {
  const auto refused = [](auto change) {
    MotionOptions options = Defaults();
    change(options);
    return MotionDetector::Create(options) == nullptr;
  };
  CHECK(!refused([](MotionOptions&) {}));
  CHECK(refused([](MotionOptions& o) { o.width_px = 15; }));
  CHECK(refused([](MotionOptions& o) { o.height_px = 4097; }));
  CHECK(refused([](MotionOptions& o) { o.width_px = -160; }));
  CHECK(refused([](MotionOptions& o) { o.sensitivity = NAN; }));
  CHECK(refused([](MotionOptions& o) { o.sensitivity = 1.01; }));
  CHECK(refused([](MotionOptions& o) { o.min_area_ratio = -0.1; }));
  CHECK(refused([](MotionOptions& o) { o.zones = {{{0, 0}, {1, 1}}}; }));
  CHECK(refused([](MotionOptions& o) { o.zones = {{{0, 0}, {1, 1}, {NAN, 0}}}; }));
  CHECK(refused([](MotionOptions& o) { o.zones.assign(65, {{0, 0}, {1, 0}, {1, 1}}); }));
}

TEST("settles, then is quiet under sensor noise") {
  Run run;
  CHECK(run.Push(run.scene.Frame(4)).state == MotionState::kSettling);
  int settling = 1;
  while (run.Push(run.scene.Frame(4)).state == MotionState::kSettling) ++settling;
  CHECK(settling * kFrameMs <= MotionDetector::kSettleMs + 2 * kFrameMs);
  for (int i = 0; i < 300; ++i) CHECK(run.Push(run.scene.Frame(4)).state == MotionState::kQuiet);
}

TEST("slow change of light is quiet") {
  Run run;
  run.Settle();
  for (int i = 0; i < 400; ++i) {
    CHECK(run.Push(run.scene.Frame(3, 1 + 0.4 * std::sin(i / 60.0))).state == MotionState::kQuiet);
  }
}

TEST("a light switch is one global change and mutes nothing") {
  for (const double gain : {0.35, 0.6, 1.6}) {
    Run run;
    run.Settle();
    CHECK(run.Push(run.scene.Frame(3, gain)).state == MotionState::kGlobal);
    for (int i = 0; i < 5; ++i) CHECK(run.Push(run.scene.Frame(3, gain)).state == MotionState::kQuiet);
    const MotionResult seen = run.Push(run.scene.Frame(3, gain, 0, {60, 30, 20, 40}, gain < 1 ? 230 : 30));
    CHECK(seen.state == MotionState::kMotion);
  }
}

TEST("a lamp that lights half the picture is a change of light, a wall pushed into view is motion") {
  Run run;
  run.Settle();
  std::vector<uint8_t> lit = run.scene.Frame(2);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth / 2; ++x) {
      uint8_t& p = lit[static_cast<size_t>(y) * kWidth + x];
      p = static_cast<uint8_t>(std::min(235, p * 16 / 10));
    }
  }
  CHECK(run.Push(lit).state == MotionState::kGlobal);
  Run other;
  other.Settle();
  CHECK(other.Push(other.scene.Frame(2, 1, 0, {0, 0, kWidth / 2, kHeight}, 200)).state == MotionState::kMotion);
}

TEST("a moving block is found with a tight box") {
  Run run;
  run.Settle();
  for (int i = 0; i < 30; ++i) {
    const Box block = {10 + 4 * i, 20, 16, 40};
    const MotionResult seen = run.Push(run.scene.Frame(3, 1, 0, block));
    CHECK(seen.state == MotionState::kMotion);
    CHECK(seen.tracks.size() == 1 && Near(seen.tracks[0].box, block, 2));
    CHECK(std::abs(seen.foreground_ratio - 16.0 * 40 / (kWidth * kHeight)) < 0.01);
  }
}

TEST("two blocks give two boxes, the larger first") {
  Run run;
  run.Settle();
  std::vector<uint8_t> frame = run.scene.Frame(2, 1, 0, {100, 40, 30, 30});
  for (int y = 10; y < 22; ++y) {
    for (int x = 10; x < 22; ++x) frame[static_cast<size_t>(y) * kWidth + x] = 200;
  }
  const MotionResult seen = run.Push(frame);
  CHECK(seen.tracks.size() == 2);
  CHECK(Near(seen.tracks[0].box, {100, 40, 30, 30}, 2) && Near(seen.tracks[1].box, {10, 10, 12, 12}, 2));
}

TEST("a block that stands still stays for a minute, is then absorbed, and leaves no ghost when it goes") {
  Run run;
  run.Settle();
  const Box block = {70, 30, 20, 40};
  int seen = 0;
  for (; seen < 1000; ++seen) {
    const MotionResult result = run.Push(run.scene.Frame(3, 1, 0, block));
    if (result.state != MotionState::kMotion) break;
    if (seen < 290) CHECK(Near(result.tracks[0].box, block, 2));
  }
  CHECK(seen * kFrameMs >= 60'000 && seen * kFrameMs <= 90'000);
  for (int i = 0; i < 20; ++i) CHECK(run.Push(run.scene.Frame(3)).state == MotionState::kQuiet);
}

TEST("absorption is a matter of time, not of frames") {
  Run run;
  run.Settle();
  int seen = 0;
  for (; seen < 2000; ++seen) {
    run.time_ms -= kFrameMs / 2;
    if (run.Push(run.scene.Frame(3, 1, 0, {70, 30, 20, 40})).state != MotionState::kMotion) break;
  }
  CHECK(seen * kFrameMs / 2 >= 60'000 && seen * kFrameMs / 2 <= 90'000);
}

TEST("leaves that never rest become noise, a visitor in front of them does not") {
  Run run;
  std::mt19937 random(7);
  const auto shaken = [&](Box visitor) {
    std::vector<uint8_t> frame = run.scene.Frame(3, 1, 0, visitor, 230);
    for (int y = 60; y < 90; ++y) {
      for (int x = 10; x < 50; ++x) {
        if (x >= visitor.x && x < visitor.x + visitor.w && y >= visitor.y && y < visitor.y + visitor.h) continue;
        frame[static_cast<size_t>(y) * kWidth + x] = static_cast<uint8_t>(60 + random() % 60);
      }
    }
    return frame;
  };
  for (int i = 0; i < 300; ++i) run.Push(shaken({}));
  int alarms = 0;
  for (int i = 0; i < 100; ++i) alarms += run.Push(shaken({})).state == MotionState::kMotion ? 1 : 0;
  CHECK(alarms == 0);
  CHECK(run.Push(shaken({20, 50, 15, 40})).state == MotionState::kMotion);
}

TEST("zones exclude, the boundary is exact, and a global change is seen outside them") {
  MotionOptions options = Defaults();
  options.zones = {{{0.5, 0}, {1, 0}, {1, 1}, {0.5, 1}}};
  Run run(options);
  run.Settle();
  CHECK(run.Push(run.scene.Frame(3, 1, 0, {10, 20, 40, 40})).state == MotionState::kQuiet);
  const MotionResult seen = run.Push(run.scene.Frame(3, 1, 0, {60, 20, 40, 40}));
  CHECK(seen.state == MotionState::kMotion && seen.tracks[0].box.x == kWidth / 2);
  CHECK(std::abs(seen.foreground_ratio - 20.0 * 40 / (kWidth * kHeight / 2)) < 0.02);
  CHECK(run.Push(run.scene.Frame(3, 0.3)).state == MotionState::kGlobal);
}

TEST("zone polygons are drawn like point-in-polygon says") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int round = 0; round < 50; ++round) {
    std::vector<latchkey::Polygon> zones(1 + round % 3);
    for (auto& zone : zones) {
      for (int i = 0; i < 3 + round % 6; ++i) zone.push_back({unit(random), unit(random)});
    }
    const std::vector<uint8_t> mask = latchkey::DrawZones(zones, 40, 24);
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 40; ++x) {
        const double px = (x + 0.5) / 40;
        const double py = (y + 0.5) / 24;
        bool any = false;
        for (const auto& zone : zones) {
          bool inside = false;
          for (size_t i = 0, j = zone.size() - 1; i < zone.size(); j = i++) {
            if ((zone[i].y > py) != (zone[j].y > py) &&
                px < (zone[j].x - zone[i].x) * (py - zone[i].y) / (zone[j].y - zone[i].y) + zone[i].x) {
              inside = !inside;
            }
          }
          any = any || inside;
        }
        CHECK(mask[static_cast<size_t>(y) * 40 + x] == (any ? 1 : 0));
      }
    }
  }
}

TEST("a reset settles again and reports nothing of the old scene") {
  Run run;
  run.Settle();
  run.detector->Reset();
  CHECK(run.Push(run.scene.Frame(3, 0.4)).state == MotionState::kSettling);
  for (int i = 0; i < 40; ++i) {
    const MotionState state = run.Push(run.scene.Frame(3, 0.4)).state;
    CHECK(state == MotionState::kSettling || state == MotionState::kQuiet);
  }
}

TEST("odd times and noise pictures never leave the frame") {
  Run run;
  std::mt19937 random(5);
  std::vector<uint8_t> frame(kWidth * kHeight);
  const double times[] = {0, -1e18, 1e18, 5, 5, 5, 1e300, -1e300};
  for (int i = 0; i < 200; ++i) {
    for (uint8_t& p : frame) p = static_cast<uint8_t>(i % 7 == 0 ? (random() % 2) * 255 : random());
    const MotionResult result = run.detector->Detect(frame, times[i % 8] + i);
    CHECK(result.foreground_ratio >= 0 && result.foreground_ratio <= 1);
    for (const auto& [id, b, first_ms, last_ms, stale_ms] : result.tracks) CHECK(b.x >= 0 && b.y >= 0 && b.x + b.w <= kWidth && b.y + b.h <= kHeight);
  }
}

TEST("no frame allocates: not the first, quiet ones, global changes, a thousand specks, or one after a reset") {
  for (const latchkey::PixelKernel* kernel : latchkey::PixelKernels()) {
    MotionOptions options = Defaults();
    options.min_area_ratio = 0;
    options.kernel = kernel;
    Run run(options);
    std::vector<std::vector<uint8_t>> frames;
    for (int i = 0; i < 40; ++i) frames.push_back(run.scene.Frame(3, i >= 30 ? 0.4 : 1, 0, {4 * i, 20, 20, 50}));
    for (int i = 0; i < kWidth * kHeight; ++i) frames[20][i] = i % 8 < 4 && i / kWidth % 8 < 4 ? 230 : frames[19][i];
    int states[4] = {};
    const long before = g_allocations;
    for (int round = 0; round < 2; ++round) {
      for (const auto& frame : frames) ++states[static_cast<int>(run.Push(frame).state)];
      run.detector->Reset();
    }
    CHECK(g_allocations == before);
    for (const MotionState state : {MotionState::kSettling, MotionState::kMotion, MotionState::kGlobal}) {
      CHECK(states[static_cast<int>(state)] > 0);
    }
  }
}

}  // namespace
