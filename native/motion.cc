// Leads the kernel over the rows of a frame and makes states and boxes of what it finds.
#include "motion.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "light.h"

namespace latchkey {

namespace {

constexpr double kTickMs = 500;
static_assert(MotionDetector::kAbsorbMs / kTickMs == kAbsorbTicks);
// Noise starts at one and a half levels.
constexpr uint16_t kNoiseStart = 384;
constexpr int kSumRows = 3;

// One frame of running averages covers about 3 s whatever the frame rate.
int ShiftFor(double elapsed_ms) {
  if (elapsed_ms < 75) return 6;
  if (elapsed_ms < 150) return 5;
  if (elapsed_ms < 300) return 4;
  return 3;
}

}  // namespace

bool MotionDetector::Valid(const MotionOptions& o) {
  const auto side_ok = [](int side) { return side >= kMinSidePx && side <= kMaxSidePx; };
  if (!side_ok(o.width_px) || !side_ok(o.height_px)) return false;
  if (!(o.sensitivity >= 0 && o.sensitivity <= 1)) return false;
  if (!(o.min_area_ratio >= 0 && o.min_area_ratio <= 1)) return false;
  if (o.zones.size() > static_cast<size_t>(kMaxZones)) return false;
  for (const Polygon& zone : o.zones) {
    if (zone.size() < 3 || zone.size() > static_cast<size_t>(kMaxZonePoints)) return false;
    for (const Point& p : zone) {
      if (!(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1)) return false;
    }
  }
  return true;
}

std::unique_ptr<MotionDetector> MotionDetector::Create(const MotionOptions& options) {
  if (!Valid(options)) return nullptr;
  return std::unique_ptr<MotionDetector>(new MotionDetector(options));
}

MotionDetector::MotionDetector(const MotionOptions& o)
    : width_px_(o.width_px),
      height_px_(o.height_px),
      kernel_(o.kernel != nullptr ? o.kernel : PixelKernels().back()),
      background_(static_cast<size_t>(o.width_px) * o.height_px),
      noise_(background_.size()),
      previous_(background_.size()),
      age_(background_.size()),
      raw_(background_.size()),
      mask_(background_.size()),
      zone_(DrawZones(o.zones, o.width_px, o.height_px)),
      row_sums_(static_cast<size_t>(o.width_px) * (kSumRows + 1)),
      components_(o.width_px, o.height_px) {
  const double area_px = static_cast<double>(background_.size());
  min_area_px_ = std::max(1, static_cast<int>(std::lround(o.min_area_ratio * area_px)));
  zone_px_ = static_cast<int>(std::count(zone_.begin(), zone_.end(), uint8_t{1}));
  // Geometric steps: 24 levels and 7 deviations at sensitivity 0, 6 and 2.5 at 1; 12 and 4.2 in the middle.
  floor_ = static_cast<uint16_t>(std::lround(256 * 24 * std::pow(6.0 / 24, o.sensitivity)));
  gain_ = static_cast<uint16_t>(std::lround(65536 / 8.0 * 7 * std::pow(2.5 / 7, o.sensitivity)));
}

void MotionDetector::Reset() { frames_seen_ = 0; }

void MotionDetector::Rebase(std::span<const uint8_t> luma) {
  for (size_t i = 0; i < background_.size(); ++i) background_[i] = static_cast<uint16_t>(luma[i] << 8);
  std::fill(age_.begin(), age_.end(), uint8_t{0});
  std::memcpy(previous_.data(), luma.data(), previous_.size());
}

StepRates MotionDetector::RatesFor(double elapsed_ms) {
  tick_rest_ms_ += elapsed_ms;
  const double ticks = std::min(static_cast<double>(kMaxTicks), std::floor(tick_rest_ms_ / kTickMs));
  tick_rest_ms_ = std::fmod(tick_rest_ms_, kTickMs);
  const int shift = settled_ ? ShiftFor(elapsed_ms) : 2;
  return {
      .floor = settled_ ? floor_ : StepRates::kNeverForeground,
      .gain = gain_,
      .shift = shift,
      .noise_shift = settled_ ? shift + 3 : 3,
      .ticks = static_cast<uint8_t>(ticks),
  };
}

// Each row is cleaned right after the step of the row below it, while its sums are still in the nearest cache.
MotionDetector::Counts MotionDetector::Look(std::span<const uint8_t> luma, const StepRates& rates) {
  const size_t width = static_cast<size_t>(width_px_);
  Counts counts;
  for (int y = 0; y < height_px_; ++y) {
    const size_t at = static_cast<size_t>(y) * width;
    counts.foreground_px += kernel_->step(rates, width,
                                          {.luma = luma.data() + at,
                                           .previous = previous_.data() + at,
                                           .background = background_.data() + at,
                                           .noise = noise_.data() + at,
                                           .age = age_.data() + at,
                                           .foreground = raw_.data() + at});
    kernel_->sum(width, raw_.data() + at, row_sums_.data() + static_cast<size_t>(y % kSumRows) * width);
    if (y > 0) counts.clean_px += CleanRow(y - 1);
  }
  counts.clean_px += CleanRow(height_px_ - 1);
  return counts;
}

int MotionDetector::CleanRow(int y) {
  const size_t width = static_cast<size_t>(width_px_);
  const auto sums = [&](int row) {
    const int slot = row < 0 || row >= height_px_ ? kSumRows : row % kSumRows;
    return row_sums_.data() + static_cast<size_t>(slot) * width;
  };
  const size_t at = static_cast<size_t>(y) * width;
  return kernel_->clean(width, sums(y - 1), sums(y), sums(y + 1), zone_.data() + at, mask_.data() + at);
}

MotionResult MotionDetector::Detect(std::span<const uint8_t> luma, double time_ms) {
  if (luma.size() != background_.size()) std::abort();
  if (frames_seen_ == 0) {
    Rebase(luma);
    std::fill(noise_.begin(), noise_.end(), kNoiseStart);
    frames_seen_ = 1;
    last_ms_ = time_ms;
    settled_ms_ = tick_rest_ms_ = 0;
    settled_ = false;
    return {};
  }
  const double passed_ms = time_ms - last_ms_;
  const double elapsed_ms = passed_ms > 0 && passed_ms < 4000 ? passed_ms : 200;
  last_ms_ = time_ms;
  if (!settled_) {
    Look(luma, RatesFor(elapsed_ms));
    settled_ms_ += elapsed_ms;
    ++frames_seen_;
    settled_ = frames_seen_ >= kSettleFrames && settled_ms_ >= kSettleMs;
    return {};
  }
  const auto [raw_px, clean_px] = Look(luma, RatesFor(elapsed_ms));
  if (LightChanged({width_px_, height_px_, luma, background_, raw_, raw_px})) {
    Rebase(luma);
    return {MotionState::kGlobal, {}, static_cast<double>(raw_px) / static_cast<double>(background_.size())};
  }
  const double ratio = zone_px_ == 0 ? 0 : static_cast<double>(clean_px) / zone_px_;
  const std::span<const Box> boxes = components_.Find(mask_, min_area_px_);
  return {boxes.empty() ? MotionState::kQuiet : MotionState::kMotion, boxes, ratio};
}

}  // namespace latchkey
