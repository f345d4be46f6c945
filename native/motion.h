// Finds what moves in a stream of small luma frames. Plain C++, no Node, no exceptions, no allocation per frame.
//
// Every pixel has a background (8.8 fixed-point running average) and a noise level (8.8 mean deviation). A pixel further
// from its background than `floor + k * noise` is foreground. Foreground does not leak into the background: it is
// absorbed whole after kAbsorbMs of being there, so that somebody standing still stays visible for that long.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "components.h"
#include "zones.h"

namespace latchkey {

struct MotionOptions {
  int width_px = 0;
  int height_px = 0;
  double sensitivity = 0.5;      // 0..1
  double min_area_ratio = 0.001; // of the whole picture, 0..1
  std::vector<Polygon> zones;    // empty = everywhere
};

enum class MotionState : int32_t { kSettling = 0, kQuiet = 1, kMotion = 2, kGlobal = 3 };

struct MotionResult {
  MotionState state = MotionState::kSettling;
  std::span<const Box> boxes;   // valid until the next call
  double foreground_ratio = 0;  // of the zoned picture
};

class MotionDetector {
 public:
  static constexpr int kMinSidePx = 16;
  static constexpr int kMaxSidePx = 4096;
  static constexpr int kMaxZones = 64;
  static constexpr int kMaxZonePoints = 256;
  static constexpr double kSettleMs = 1500;
  static constexpr int kSettleFrames = 5;
  static constexpr int kAbsorbMs = 75'000;

  static bool Valid(const MotionOptions& options);

  // Null when the options are not valid.
  static std::unique_ptr<MotionDetector> Create(const MotionOptions& options);

  // `luma` has exactly width * height bytes. `time_ms` is steady; a step back or a long gap counts as one frame.
  MotionResult Detect(std::span<const uint8_t> luma, double time_ms);

  // Forgets the background: the next frame starts settling.
  void Reset();

  size_t luma_bytes() const { return background_.size(); }

 private:
  explicit MotionDetector(const MotionOptions& options);

  void Rebase(std::span<const uint8_t> luma);
  int Classify(std::span<const uint8_t> luma, double elapsed_ms, bool settling);
  int Clean();
  bool LightChanged(std::span<const uint8_t> luma, int foreground_px) const;

  int width_px_;
  int height_px_;
  int min_area_px_;
  int zone_px_;
  uint16_t floor_;  // 8.8
  uint16_t gain_;   // k / 8 in 0.16
  std::vector<uint16_t> background_;
  std::vector<uint16_t> noise_;
  std::vector<uint8_t> previous_;
  std::vector<uint8_t> age_;  // ticks of kTickMs for which the pixel has been foreground
  std::vector<uint8_t> raw_;
  std::vector<uint8_t> mask_;
  std::vector<uint8_t> zone_;
  std::vector<uint8_t> row_sums_;  // three rows of horizontal sums, for the 3x3 majority
  ComponentFinder components_;

  int frames_seen_ = 0;
  bool settled_ = false;
  double settled_ms_ = 0;
  double last_ms_ = 0;
  double tick_rest_ms_ = 0;
};

}  // namespace latchkey
