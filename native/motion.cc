// Leads the kernel over the rows of a frame and makes states and tracks of what it finds.
#include "motion.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "ghost.h"
#include "light.h"

namespace latchkey {

namespace {

constexpr double kTickMs = 500;
static_assert(MotionDetector::kAbsorbMs / kTickMs == kAbsorbTicks);
// Noise starts at one and a half levels.
constexpr uint16_t kNoiseStart = 3 * 4096 / 2;
// Each row is learnt from about this often, however many frames there are: faster cameras cost less a frame, and the
// averages keep their fraction bits.
constexpr double kLearnMs = 200;
constexpr int kMaxTurns = 8;
// The background of what is certainly another light follows within about this time.
constexpr double kFollowMs = 500;
// Whoever was there for a second leaves a shadow behind, or stands half in it, for a moment: so long it counts.
constexpr double kSolidMs = 1000;
constexpr double kGraceMs = 600;
// An outline that is the background's for this long belongs to something that has left.
constexpr double kGhostMs = 2000;

bool ValidPolygons(const std::vector<Polygon>& polygons) {
  if (polygons.size() > static_cast<size_t>(MotionDetector::kMaxZones)) return false;
  for (const Polygon& polygon : polygons) {
    if (polygon.size() < 3 || polygon.size() > static_cast<size_t>(MotionDetector::kMaxZonePoints)) return false;
    for (const Point& p : polygon) {
      if (!(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1)) return false;
    }
  }
  return true;
}

}  // namespace

bool MotionDetector::Valid(const MotionOptions& o) {
  const auto side_ok = [](int side) { return side >= kMinSidePx && side <= kMaxSidePx; };
  if (!side_ok(o.width_px) || !side_ok(o.height_px)) return false;
  if (!(o.sensitivity >= 0 && o.sensitivity <= 1)) return false;
  if (!(o.min_area_ratio >= 0 && o.min_area_ratio <= 1)) return false;
  return ValidPolygons(o.zones) && ValidPolygons(o.privacy);
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
      age_(background_.size()),
      other_(background_.size()),
      trust_(background_.size()),
      away_(background_.size()),
      raw_(background_.size()),
      mask_(background_.size()),
      zone_(DrawZones(o.zones, o.width_px, o.height_px)),
      row_sums_(static_cast<size_t>(o.width_px) * (kSumRows + 1)),
      row_counts_(static_cast<size_t>(o.height_px)),
      shade_(o.width_px, o.height_px),
      components_(o.width_px, o.height_px) {
  if (!o.privacy.empty()) {
    seen_ = DrawZones(o.privacy, o.width_px, o.height_px);
    hidden_.resize(seen_.size());
    for (size_t i = 0; i < seen_.size(); ++i) {
      if (seen_[i] != 0) zone_[i] = 0;
      seen_[i] = seen_[i] != 0 ? 0 : 255;
    }
  }
  const double area_px = static_cast<double>(background_.size());
  min_area_px_ = std::max(1, static_cast<int>(std::lround(o.min_area_ratio * area_px)));
  zone_px_ = static_cast<int>(std::count(zone_.begin(), zone_.end(), uint8_t{1}));
  // Geometric steps: 20 levels and 7 deviations at sensitivity 0, 5 and 2.5 at 1; 10 and 4.2 in the middle.
  floor_ = static_cast<uint16_t>(std::lround(256 * 20 * std::pow(5.0 / 20, o.sensitivity)));
  gain_ = static_cast<uint16_t>(std::lround(4096 * 7 * std::pow(2.5 / 7, o.sensitivity)));
}

void MotionDetector::Reset() {
  frames_seen_ = 0;
  has_mask_ = false;
}

std::span<const uint8_t> MotionDetector::Hide(std::span<const uint8_t> luma) {
  if (seen_.empty()) return luma;
  for (size_t i = 0; i < hidden_.size(); ++i) hidden_[i] = luma[i] & seen_[i];
  return hidden_;
}

void MotionDetector::Rebase(std::span<const uint8_t> luma) {
  for (size_t i = 0; i < background_.size(); ++i) background_[i] = static_cast<uint16_t>(luma[i] << 8);
  for (std::vector<uint8_t>* plane : {&age_, &other_, &trust_, &away_}) {
    std::fill(plane->begin(), plane->end(), uint8_t{0});
  }
  tracker_.Reset();
}

StepRates MotionDetector::RatesFor(double elapsed_ms) {
  tick_rest_ms_ += elapsed_ms;
  const double ticks = std::min(static_cast<double>(kMaxTicks), std::floor(tick_rest_ms_ / kTickMs));
  tick_rest_ms_ = std::fmod(tick_rest_ms_, kTickMs);
  // An average covers about 3 s.
  const int shift = settled_ ? (elapsed_ms < 300 ? 4 : 3) : 2;
  return {
      .floor = settled_ ? floor_ : StepRates::kNeverForeground,
      .gain = gain_,
      .shift = shift,
      .noise_shift = settled_ ? shift + 3 : kNoiseBits,
      .ticks = static_cast<uint8_t>(ticks),
  };
}

// Each row is cleaned right after the step of the second row below it, while its sums are still in the nearest cache.
MotionDetector::Counts MotionDetector::Look(std::span<const uint8_t> luma, double elapsed_ms) {
  const StepRates rates = RatesFor(elapsed_ms);
  // Rows take turns in being learnt from.
  const int turns = settled_ ? static_cast<int>(std::clamp(std::round(kLearnMs / elapsed_ms), 1.0, 1.0 * kMaxTurns)) : 1;
  const int turn = frames_seen_ % turns;
  const size_t width = static_cast<size_t>(width_px_);
  Counts counts;
  raw_rows_ = {};
  for (int y = 0; y < height_px_; ++y) {
    const size_t at = static_cast<size_t>(y) * width;
    const auto step = y % turns == turn ? kernel_->learn : kernel_->look;
    const int raw_px = step(rates, width,
                                 {.luma = luma.data() + at,
                                  .background = background_.data() + at,
                                  .noise = noise_.data() + at,
                                  .age = age_.data() + at,
                                  .other = other_.data() + at,
                                  .trust = trust_.data() + at,
                                  .away = away_.data() + at,
                                  .foreground = raw_.data() + at});
    counts.foreground_px += raw_px;
    raw_rows_[y % kSumRows] = {.raw_px = raw_px, .summed = false};
    if (y >= 2) counts.clean_px += CleanRow(y - 2);
  }
  counts.clean_px += CleanRow(height_px_ - 2) + CleanRow(height_px_ - 1);
  return counts;
}

int MotionDetector::CleanRow(int y) {
  const size_t width = static_cast<size_t>(width_px_);
  const size_t at = static_cast<size_t>(y) * width;
  const int first = std::max(0, y - kSumRows / 2);
  const int last = std::min(height_px_ - 1, y + kSumRows / 2);
  // Near the picture's upper and lower edge this counts rows too many, which costs only time.
  int raw_px = 0;
  for (const RawRow& row : raw_rows_) raw_px += row.raw_px;
  // Where so little is foreground no pixel has a majority around it. A row of the mask that counted none is all zeros.
  if (raw_px < kMajority) {
    if (row_counts_[static_cast<size_t>(y)] != 0) std::fill_n(mask_.begin() + static_cast<ptrdiff_t>(at), width, uint8_t{0});
    return row_counts_[static_cast<size_t>(y)] = 0;
  }
  const uint8_t* sums[kSumRows];
  for (int i = 0; i < kSumRows; ++i) {
    const int row = y + i - kSumRows / 2;
    const bool outside = row < first || row > last;
    uint8_t* const sum = row_sums_.data() + static_cast<size_t>(outside ? kSumRows : row % kSumRows) * width;
    if (!outside && !raw_rows_[row % kSumRows].summed) {
      kernel_->sum(width, raw_.data() + static_cast<size_t>(row) * width, sum);
      raw_rows_[row % kSumRows].summed = true;
    }
    sums[i] = sum;
  }
  return row_counts_[static_cast<size_t>(y)] = kernel_->clean(width, sums, zone_.data() + at, mask_.data() + at);
}

// What has left, or was there at the start, is seen as foreground in the place where it was: no longer.
void MotionDetector::LayGhosts(std::span<const uint8_t> luma, std::span<Track> tracks, double now_ms) {
  for (Track& track : tracks) {
    const Box& box = track.box;
    if (!OutlineIsBackgrounds({width_px_, luma, background_, mask_}, box)) {
      track.stale_ms = -1;
      continue;
    }
    if (track.stale_ms < 0) track.stale_ms = now_ms;
    if (now_ms - track.stale_ms < kGhostMs) continue;
    for (int y = box.y; y < box.y + box.h; ++y) {
      const size_t row = static_cast<size_t>(y) * static_cast<size_t>(width_px_);
      for (size_t i = row + static_cast<size_t>(box.x); i < row + static_cast<size_t>(box.x + box.w); ++i) {
        if (raw_[i] == 0) continue;
        background_[i] = static_cast<uint16_t>(luma[i] << 8);
        age_[i] = 0;
      }
    }
  }
}

MotionResult MotionDetector::Detect(std::span<const uint8_t> whole, double time_ms) {
  if (whole.size() != background_.size()) std::abort();
  const std::span<const uint8_t> luma = Hide(whole);
  has_mask_ = false;
  if (frames_seen_ == 0) {
    Rebase(luma);
    std::fill(noise_.begin(), noise_.end(), kNoiseStart);
    frames_seen_ = 1;
    last_ms_ = time_ms;
    settled_ms_ = tick_rest_ms_ = 0;
    solid_from_ms_ = solid_ms_ = -2 * kGraceMs;
    settled_ = false;
    return {};
  }
  const double passed_ms = time_ms - last_ms_;
  const double elapsed_ms = passed_ms > 0 && passed_ms < 4000 ? passed_ms : 200;
  last_ms_ = time_ms;
  const auto [raw_px, clean_px] = Look(luma, elapsed_ms);
  frames_seen_ = frames_seen_ % (1 << 30) + 1;
  settled_ms_ += elapsed_ms;
  if (!settled_) {
    settled_ = frames_seen_ >= kSettleFrames && settled_ms_ >= kSettleMs;
    return {};
  }
  if (LightChanged({width_px_, height_px_, luma, background_, raw_, raw_px})) {
    Rebase(luma);
    return {MotionState::kGlobal, {}, static_cast<double>(raw_px) / static_cast<double>(background_.size())};
  }
  has_mask_ = true;
  const uint32_t follow = static_cast<uint32_t>(std::min(256.0, std::floor(256 * elapsed_ms / kFollowMs)));
  const bool grace = settled_ms_ - solid_ms_ <= kGraceMs && solid_ms_ - solid_from_ms_ >= kSolidMs;
  const auto [shaded_px, solid] =
      shade_.Apply({luma, background_, noise_, age_, mask_, row_counts_, follow, min_area_px_, grace});
  // Counted from when it settled, so that steps back in time don't matter to tracks.
  const std::span<const Box> boxes = components_.Find(mask_, row_counts_, min_area_px_);
  const std::span<Track> tracks = tracker_.Update(boxes, settled_ms_);
  if (solid && !tracks.empty()) {
    if (settled_ms_ - solid_ms_ > 1.5 * elapsed_ms) solid_from_ms_ = settled_ms_;
    solid_ms_ = settled_ms_;
  }
  LayGhosts(luma, tracks, settled_ms_);
  const double ratio = zone_px_ == 0 ? 0 : static_cast<double>(clean_px - shaded_px) / zone_px_;
  return {tracks.empty() ? MotionState::kQuiet : MotionState::kMotion, tracks, ratio};
}

}  // namespace latchkey
