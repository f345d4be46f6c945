// The motion core through what cameras live through: weather, lamps, fast frame rates, things that come and go.
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "../motion.h"
#include "check.h"
#include "scene.h"

namespace {

using latchkey::Box;
using latchkey::MotionDetector;
using latchkey::MotionOptions;
using latchkey::MotionResult;
using latchkey::MotionState;
using scene::Scene;

constexpr int kWidth = 160;
constexpr int kHeight = 96;

struct Camera {
  explicit Camera(double fps = 5, std::vector<latchkey::Polygon> privacy = {}) : frame_ms(1000 / fps) {
    MotionOptions options;
    options.width_px = kWidth;
    options.height_px = kHeight;
    options.min_area_ratio = 0.002;
    options.privacy = std::move(privacy);
    detector = MotionDetector::Create(options);
  }

  MotionResult Push(const std::vector<uint8_t>& frame) { return detector->Detect(frame, now_ms += frame_ms); }

  void Settle() {
    for (double ms = 0; ms < 4000 || ms < 8 * frame_ms; ms += frame_ms) Push(scene.Frame(3));
  }

  double frame_ms;
  double now_ms = 0;
  Scene scene{kWidth, kHeight};
  std::unique_ptr<MotionDetector> detector;
};

// Darkens what lies left of `edge` by a third, softly over 30 pixels, as a cloud does.
std::vector<uint8_t> Clouded(std::vector<uint8_t> frame, double edge) {
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      uint8_t& p = frame[static_cast<size_t>(y) * kWidth + x];
      p = static_cast<uint8_t>(std::lround(p * (1 - 0.33 * std::clamp((edge - x) / 30 + 0.5, 0.0, 1.0))));
    }
  }
  return frame;
}

TEST("clouds that pass are quiet, a visitor under them is not") {
  Camera camera;
  camera.Settle();
  for (double edge = -20; edge < 190; edge += 4) {
    CHECK(camera.Push(Clouded(camera.scene.Frame(3), edge)).state != MotionState::kMotion);
  }
  for (double edge = 190; edge > -20; edge -= 4) {
    CHECK(camera.Push(Clouded(camera.scene.Frame(3), edge)).state != MotionState::kMotion);
  }
  int found = 0;
  for (int i = 0; i < 40; ++i) {
    const MotionResult seen = camera.Push(Clouded(camera.scene.Frame(3, 1, 0, {4 * i + 3, 30, 18, 40}, 200), 5.0 * i - 20));
    found += seen.state == MotionState::kMotion ? 1 : 0;
  }
  CHECK(found >= 35);
}

TEST("quiet at every frame rate, and a visitor seen at every one") {
  for (const double fps : {1.0, 5.0, 13.0, 15.0, 25.0, 60.0}) {
    Camera camera(fps);
    camera.Settle();
    for (int i = 0; i < 20 * fps; ++i) CHECK(camera.Push(camera.scene.Frame(4)).state == MotionState::kQuiet);
    CHECK(camera.Push(camera.scene.Frame(4, 1, 0, {60, 30, 20, 40})).state == MotionState::kMotion);
  }
}

TEST("noise is learnt at high frame rates, up and down") {
  Camera camera(25);
  camera.Settle();
  int loud = 0;
  for (int i = 0; i < 2000; ++i) {
    const bool motion = camera.Push(camera.scene.Frame(14)).state == MotionState::kMotion;
    if (i >= 1000) loud += motion ? 1 : 0;
  }
  CHECK(loud == 0);
  for (int i = 0; i < 2500; ++i) camera.Push(camera.scene.Frame(2));
  // Fainter than the noise was.
  CHECK(camera.Push(camera.scene.Frame(2, 1, 0, {60, 30, 20, 40}, 130)).state == MotionState::kMotion);
}

TEST("someone who stands still for a minute is one track") {
  Camera camera;
  camera.Settle();
  std::mt19937 random(8);
  int32_t id = 0;
  for (int i = 0; i < 300; ++i) {
    const int sway = static_cast<int>(random() % 3);
    const MotionResult seen = camera.Push(camera.scene.Frame(3, 1, 0, {60 + sway, 30, 20, 44}));
    CHECK(seen.state == MotionState::kMotion && seen.tracks.size() == 1);
    if (i == 0) id = seen.tracks[0].id;
    CHECK(seen.tracks[0].id == id);
    CHECK(std::abs(seen.tracks[0].last_ms - seen.tracks[0].first_ms - 200.0 * i) < 1e-6);
  }
}

TEST("one who was there from the start leaves no ghost for long") {
  Camera camera;
  for (int i = 0; i < 60; ++i) camera.Push(camera.scene.Frame(3, 1, 0, {60, 30, 20, 44}));
  int ghost = 0;
  for (int i = 0; i < 60; ++i) ghost += camera.Push(camera.scene.Frame(3)).state == MotionState::kMotion ? 1 : 0;
  CHECK(ghost > 0 && ghost * 200 <= 3000);
}

TEST("a lamp that flickers is told each time, and somebody in its light is seen") {
  Camera camera;
  camera.Settle();
  for (int i = 0; i < 6; ++i) {
    const double gain = i % 2 == 0 ? 1.6 : 1;
    CHECK(camera.Push(camera.scene.Frame(3, gain)).state == MotionState::kGlobal);
    for (int k = 0; k < 5; ++k) CHECK(camera.Push(camera.scene.Frame(3, gain)).state == MotionState::kQuiet);
  }
  CHECK(camera.Push(camera.scene.Frame(3, 1.6, 0, {60, 30, 20, 44}, 40)).state == MotionState::kGlobal);
  CHECK(camera.Push(camera.scene.Frame(3, 1.6, 0, {66, 30, 20, 44}, 40)).state == MotionState::kMotion);
}

TEST("a camera that comes back elsewhere settles without motion") {
  Camera camera;
  camera.Settle();
  camera.detector->Reset();
  Scene other(kWidth, kHeight, 77);
  for (int i = 0; i < 100; ++i) CHECK(camera.Push(other.Frame(3, 0.5, 20)).state != MotionState::kMotion);
}

TEST("privacy masks: no result depends on a pixel in them, and none of them is foreground") {
  const std::vector<latchkey::Polygon> left = {{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}};
  Camera plain(5, left);
  Camera wild(5, left);
  std::mt19937 random(6);
  bool moved = false;
  for (int i = 0; i < 120; ++i) {
    std::vector<uint8_t> frame = plain.scene.Frame(3, i > 90 ? 0.5 : 1, 0, i < 20 ? Box{} : Box{4 * (i % 40), 30, 20, 44});
    const MotionResult wanted = plain.Push(frame);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth / 2; ++x) frame[static_cast<size_t>(y) * kWidth + x] = static_cast<uint8_t>(random());
    }
    const MotionResult got = wild.Push(frame);
    CHECK(got.state == wanted.state && got.foreground_ratio == wanted.foreground_ratio);
    CHECK(std::ranges::equal(plain.detector->foreground(), wild.detector->foreground()));
    const auto mask = wild.detector->foreground();
    for (size_t p = 0; p < mask.size(); ++p) CHECK(mask[p] == 0 || p % kWidth >= kWidth / 2);
    moved = moved || got.state == MotionState::kMotion;
  }
  CHECK(moved);
}

TEST("there is a mask after quiet and motion only") {
  Camera camera;
  CHECK(camera.detector->foreground().empty());
  camera.Push(camera.scene.Frame(3));
  CHECK(camera.detector->foreground().empty());
  camera.Settle();
  CHECK(camera.detector->foreground().size() == kWidth * kHeight);
  CHECK(camera.Push(camera.scene.Frame(3, 0.4)).state == MotionState::kGlobal);
  CHECK(camera.detector->foreground().empty());
  camera.Push(camera.scene.Frame(3, 0.4));
  CHECK(!camera.detector->foreground().empty());
  camera.detector->Reset();
  CHECK(camera.detector->foreground().empty());
}

}  // namespace
