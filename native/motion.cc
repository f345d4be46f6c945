// The one pass over the pixels, the clean-up, and the decision whether the whole picture changed.
#include "motion.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace latchkey {

namespace {

constexpr double kTickMs = 500;
constexpr uint8_t kAbsorbTicks = static_cast<uint8_t>(MotionDetector::kAbsorbMs / kTickMs);
static_assert(MotionDetector::kAbsorbMs / kTickMs < 240, "the counter has 8 bits");
// Noise starts at one and a half levels and is capped, so that no pixel ever becomes blind.
constexpr uint16_t kNoiseStart = 384;
constexpr uint16_t kNoiseCap = 16 * 256;
// More of the picture than this is never one visitor.
constexpr double kGlobalRatio = 0.8;
// From this share on, the change is tested for being one of light only.
constexpr double kLightRatio = 0.25;
constexpr int kBlockPx = 8;

// One frame of running averages covers about 3 s whatever the frame rate.
int ShiftFor(double elapsed_ms) {
  if (elapsed_ms < 75) return 6;
  if (elapsed_ms < 150) return 5;
  if (elapsed_ms < 300) return 4;
  return 3;
}

struct Rates {
  uint16_t floor;
  uint16_t gain;
  uint16_t allowed;  // 0 while settling: nothing is foreground then, and everything is learnt
  int shift;
  int noise_shift;
  uint8_t up;
  uint8_t down;
};

// One row in one pass, without branches, so that the compiler vectorises it. The pointers must be parameters: only
// there does it believe that they don't overlap.
int ClassifyRow(const Rates& rates, size_t width, const uint8_t* __restrict in, uint8_t* __restrict previous,
                uint16_t* __restrict background, uint16_t* __restrict noise, uint8_t* __restrict age,
                uint8_t* __restrict raw) {
  const uint16_t floor = rates.floor;
  const uint32_t gain = rates.gain;
  const uint16_t allowed = rates.allowed;
  const int shift = rates.shift;
  const int noise_shift = rates.noise_shift;
  const uint8_t up = rates.up;
  const uint8_t down = rates.down;
  for (size_t x = 0; x < width; ++x) {
    const uint16_t value = static_cast<uint16_t>(in[x] << 8);
    const uint16_t old = background[x];
    const uint16_t deviation = static_cast<uint16_t>(value > old ? value - old : old - value);
    const uint16_t level = noise[x];
    const uint16_t threshold = static_cast<uint16_t>(floor + (((level * gain) >> 16) << 3));
    const uint16_t is_fg = static_cast<uint16_t>((deviation > threshold ? 0xffff : 0) & allowed);
    const uint8_t fg = static_cast<uint8_t>(is_fg & 1);

    // What moves from frame to frame raises the noise (leaves), what merely stands there does not (a visitor).
    const uint8_t last = previous[x];
    const uint16_t step = static_cast<uint16_t>((in[x] > last ? in[x] - last : last - in[x]) << 8);
    const uint16_t measured = static_cast<uint16_t>((step & is_fg) | (deviation & ~is_fg));
    const uint16_t next = static_cast<uint16_t>(level - (level >> noise_shift) + (measured >> noise_shift));
    noise[x] = next < kNoiseCap ? next : kNoiseCap;
    previous[x] = in[x];

    const uint8_t counted = static_cast<uint8_t>(age[x] + up);
    const uint8_t faded = static_cast<uint8_t>(age[x] > down ? age[x] - down : 0);
    const uint8_t ticked = fg != 0 ? counted : faded;
    const uint16_t absorb = ticked >= kAbsorbTicks ? 0xffff : 0;
    age[x] = ticked >= kAbsorbTicks ? 0 : ticked;

    const uint16_t drifted = static_cast<uint16_t>(old - (old >> shift) + (value >> shift));
    const uint16_t kept = static_cast<uint16_t>((old & is_fg) | (drifted & ~is_fg));
    background[x] = static_cast<uint16_t>((value & absorb) | (kept & ~absorb));
    raw[x] = fg;
  }
  int total = 0;
  for (size_t x = 0; x < width; ++x) total += raw[x];
  return total;
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
      background_(static_cast<size_t>(o.width_px) * o.height_px),
      noise_(background_.size()),
      previous_(background_.size()),
      age_(background_.size()),
      raw_(background_.size()),
      mask_(background_.size()),
      zone_(DrawZones(o.zones, o.width_px, o.height_px)),
      row_sums_(static_cast<size_t>(o.width_px) * 3),
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

// Marks the foreground of the whole picture and updates the model. Returns the number of foreground pixels.
int MotionDetector::Classify(std::span<const uint8_t> luma, double elapsed_ms, bool settling) {
  tick_rest_ms_ += elapsed_ms;
  const double ticks = std::min(8.0, std::floor(tick_rest_ms_ / kTickMs));
  tick_rest_ms_ = std::fmod(tick_rest_ms_, kTickMs);
  const int shift = settling ? 2 : ShiftFor(elapsed_ms);
  const Rates rates = {
      .floor = floor_,
      .gain = gain_,
      .allowed = static_cast<uint16_t>(settling ? 0 : 0xffff),
      .shift = shift,
      .noise_shift = settling ? 3 : shift + 3,
      .up = static_cast<uint8_t>(ticks),
      .down = static_cast<uint8_t>(2 * ticks),
  };
  const size_t width = static_cast<size_t>(width_px_);
  int total = 0;
  for (size_t at = 0; at < background_.size(); at += width) {
    total += ClassifyRow(rates, width, luma.data() + at, previous_.data() + at, background_.data() + at,
                         noise_.data() + at, age_.data() + at, raw_.data() + at);
  }
  return total;
}

// 3x3 majority (at least 4 of 9) within the zones: removes specks, fills pin-holes. Returns the pixels left.
int MotionDetector::Clean() {
  const size_t width = static_cast<size_t>(width_px_);
  const auto sum_row = [&](int y, uint8_t* out) {
    const uint8_t* in = raw_.data() + static_cast<size_t>(y) * width;
    out[0] = static_cast<uint8_t>(in[0] + in[1]);
    for (size_t x = 1; x + 1 < width; ++x) out[x] = static_cast<uint8_t>(in[x - 1] + in[x] + in[x + 1]);
    out[width - 1] = static_cast<uint8_t>(in[width - 2] + in[width - 1]);
  };
  uint8_t* above = row_sums_.data();
  uint8_t* here = above + width;
  uint8_t* below = here + width;
  std::memset(above, 0, width);
  sum_row(0, here);
  int total = 0;
  for (int y = 0; y < height_px_; ++y) {
    if (y + 1 < height_px_) {
      sum_row(y + 1, below);
    } else {
      std::memset(below, 0, width);
    }
    const uint8_t* __restrict zone = zone_.data() + static_cast<size_t>(y) * width;
    uint8_t* __restrict out = mask_.data() + static_cast<size_t>(y) * width;
    for (size_t x = 0; x < width; ++x) {
      const uint8_t sum = static_cast<uint8_t>(above[x] + here[x] + below[x]);
      out[x] = static_cast<uint8_t>((sum >= 4 ? 1 : 0) & zone[x]);
    }
    int row = 0;
    for (size_t x = 0; x < width; ++x) row += out[x];
    total += row;
    uint8_t* const recycled = above;
    above = here;
    here = below;
    below = recycled;
  }
  return total;
}

// A lamp changes brightness but not structure: in most changed blocks that have any texture, picture and background
// still correlate. Something that covers the view does not.
bool MotionDetector::LightChanged(std::span<const uint8_t> luma, int foreground_px) const {
  const double area_px = static_cast<double>(background_.size());
  if (foreground_px > kGlobalRatio * area_px) return true;
  if (foreground_px < kLightRatio * area_px) return false;
  constexpr int kPixels = kBlockPx * kBlockPx;
  int textured = 0;
  int alike = 0;
  for (int top = 0; top + kBlockPx <= height_px_; top += kBlockPx) {
    for (int left = 0; left + kBlockPx <= width_px_; left += kBlockPx) {
      int fg = 0;
      int64_t sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
      for (int y = top; y < top + kBlockPx; ++y) {
        const size_t offset = static_cast<size_t>(y) * static_cast<size_t>(width_px_) + static_cast<size_t>(left);
        for (size_t i = offset; i < offset + kBlockPx; ++i) {
          const int a = luma[i];
          const int b = background_[i] >> 8;
          fg += raw_[i];
          sum_a += a;
          sum_b += b;
          sum_aa += a * a;
          sum_bb += b * b;
          sum_ab += a * b;
        }
      }
      if (fg * 2 < kPixels) continue;
      const auto var_a = static_cast<double>(kPixels * sum_aa - sum_a * sum_a);
      const auto var_b = static_cast<double>(kPixels * sum_bb - sum_b * sum_b);
      // Deviation below two levels is noise, not texture.
      constexpr double kMinVariance = 4.0 * kPixels * kPixels;
      if (var_a < kMinVariance && var_b < kMinVariance) continue;
      ++textured;
      const auto covariance = static_cast<double>(kPixels * sum_ab - sum_a * sum_b);
      if (covariance > 0 && covariance * covariance > 0.5 * var_a * var_b) ++alike;
    }
  }
  // With next to no texture the two can't be told apart, and a wall close by is likelier than a lamp to be missed.
  return textured >= 16 && alike * 10 >= textured * 6;
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
    settled_ms_ += elapsed_ms;
    ++frames_seen_;
    settled_ = frames_seen_ >= kSettleFrames && settled_ms_ >= kSettleMs;
    Classify(luma, elapsed_ms, true);
    return {};
  }
  const int raw_px = Classify(luma, elapsed_ms, false);
  if (LightChanged(luma, raw_px)) {
    Rebase(luma);
    return {MotionState::kGlobal, {}, static_cast<double>(raw_px) / static_cast<double>(background_.size())};
  }
  const int clean_px = Clean();
  const double ratio = zone_px_ == 0 ? 0 : static_cast<double>(clean_px) / zone_px_;
  const std::span<const Box> boxes = components_.Find(mask_, min_area_px_);
  return {boxes.empty() ? MotionState::kQuiet : MotionState::kMotion, boxes, ratio};
}

}  // namespace latchkey
