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
#include "pixel-step.h"
#include "zones.h"

namespace latchkey {

struct MotionOptions {
  int width_px = 0;
  int height_px = 0;
  double sensitivity = 0.5;      // 0..1
  double min_area_ratio = 0.001; // of the whole picture, 0..1
  std::vector<Polygon> zones;    // empty = everywhere
  const PixelKernel* kernel = nullptr;  // null = the fastest that this processor runs
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

  // One byte a pixel, 0 or 1: what the boxes of the last result were made of. Meaningful after kQuiet and kMotion.
  std::span<const uint8_t> foreground() const { return mask_; }

 private:
  struct Counts {
    int foreground_px = 0;  // of the whole picture, before the clean-up
    int clean_px = 0;       // within the zones, after it
  };

  explicit MotionDetector(const MotionOptions& options);

  void Rebase(std::span<const uint8_t> luma);
  StepRates RatesFor(double elapsed_ms);
  Counts Look(std::span<const uint8_t> luma, const StepRates& rates);
  int CleanRow(int y);

  int width_px_;
  int height_px_;
  int min_area_px_;
  int zone_px_;
  uint16_t floor_;  // of StepRates
  uint16_t gain_;
  const PixelKernel* kernel_;
  std::vector<uint16_t> background_;
  std::vector<uint16_t> noise_;
  std::vector<uint8_t> previous_;
  std::vector<uint8_t> age_;
  std::vector<uint8_t> raw_;
  std::vector<uint8_t> mask_;
  std::vector<uint8_t> zone_;
  std::vector<uint8_t> row_sums_;  // horizontal sums of rows y - 1, y, y + 1 at y % kSumRows, and one row of zeros
  ComponentFinder components_;

  int frames_seen_ = 0;
  bool settled_ = false;
  double settled_ms_ = 0;
  double last_ms_ = 0;
  double tick_rest_ms_ = 0;
};

}  // namespace latchkey
