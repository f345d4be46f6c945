// Finds what moves in a stream of small luma frames. Plain C++, no Node, no exceptions, no allocation per frame.
//
// Every pixel has a background (running average), a noise level (mean deviation) and another level that it may keep
// coming to (leaves in the wind). Further from these than `floor + k * noise` it is foreground. Foreground does not leak
// into the background: what is there for kAbsorbMs becomes background whole, so that somebody standing still stays
// visible for that long, and what was behind becomes the other level, so that nothing is left when it goes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "components.h"
#include "pixel-step.h"
#include "shade.h"
#include "tracks.h"
#include "zones.h"

namespace latchkey {

struct MotionOptions {
  int width_px = 0;
  int height_px = 0;
  double sensitivity = 0.5;      // 0..1
  double min_area_ratio = 0.001; // of the whole picture, 0..1
  std::vector<Polygon> zones;    // where motion counts; empty = everywhere
  std::vector<Polygon> privacy;  // what is never looked at
  const PixelKernel* kernel = nullptr;  // null = the fastest that this processor runs
};

enum class MotionState : int32_t { kSettling = 0, kQuiet = 1, kMotion = 2, kGlobal = 3 };

struct MotionResult {
  MotionState state = MotionState::kSettling;
  std::span<const Track> tracks;  // what moves, largest area first; valid until the next call
  double foreground_ratio = 0;    // of the zoned picture
};

class MotionDetector {
 public:
  static constexpr int kMinSidePx = 16;
  static constexpr int kMaxSidePx = 4096;
  static constexpr int kMaxZones = 64;  // and as many privacy masks
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

  // One byte a pixel, 0 or 1: what the boxes of the last result were made of. Empty unless that was kQuiet or kMotion.
  std::span<const uint8_t> foreground() const {
    return has_mask_ ? std::span<const uint8_t>(mask_) : std::span<const uint8_t>();
  }

 private:
  struct Counts {
    int foreground_px = 0;  // of the whole picture, before the clean-up
    int clean_px = 0;       // within the zones, after it
  };

  explicit MotionDetector(const MotionOptions& options);

  std::span<const uint8_t> Hide(std::span<const uint8_t> luma);
  void Rebase(std::span<const uint8_t> luma);
  StepRates RatesFor(double elapsed_ms);
  Counts Look(std::span<const uint8_t> luma, double elapsed_ms);
  int CleanRow(int y);
  void LayGhosts(std::span<const uint8_t> luma, std::span<Track> tracks, double now_ms);

  int width_px_;
  int height_px_;
  int min_area_px_;
  int zone_px_;
  uint16_t floor_;  // of StepRates
  uint16_t gain_;
  const PixelKernel* kernel_;
  std::vector<uint16_t> background_;
  std::vector<uint16_t> noise_;
  std::vector<uint8_t> age_;
  std::vector<uint8_t> other_;
  std::vector<uint8_t> trust_;
  std::vector<uint8_t> away_;
  std::vector<uint8_t> raw_;
  std::vector<uint8_t> mask_;
  std::vector<uint8_t> zone_;
  std::vector<uint8_t> seen_;    // 255 outside privacy masks, else 0; empty without any
  std::vector<uint8_t> hidden_;  // the luma with nothing in them
  static constexpr int kSumRows = 5;
  struct RawRow {
    int raw_px;
    bool summed;
  };

  std::array<RawRow, kSumRows> raw_rows_ = {};  // of rows y - 2 to y + 2 at y % kSumRows
  std::vector<uint8_t> row_sums_;  // horizontal sums of rows y - 2 to y + 2 at y % kSumRows, and one row of zeros
  std::vector<int32_t> row_counts_;
  ShadeFilter shade_;
  ComponentFinder components_;
  Tracker tracker_;

  int frames_seen_ = 0;
  bool settled_ = false;
  bool has_mask_ = false;
  double settled_ms_ = 0;
  double solid_from_ms_ = 0;  // since when somebody was there by structure
  double solid_ms_ = 0;       // until when
  double last_ms_ = 0;
  double tick_rest_ms_ = 0;
};

}  // namespace latchkey
