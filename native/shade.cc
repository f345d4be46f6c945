// Light changes brightness, not structure: a block whose picture is its background times a gain plus an offset has seen
// nothing new. One flat block proves nothing, because a plain coat on a plain wall is flat too; so foreground goes only
// where hardly any block around has new structure. A person has some in every part: outline, face, seams, hands.
#include "shade.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "moments.h"

namespace latchkey {

namespace {

// Foreground pixels of a block that make it worth measuring.
constexpr int kMinCount = 8;
// Blocks each way around one: with 640 pixels across, a window of 88.
constexpr int kReach = 5;
// The least share of structured blocks in a window that keeps its middle.
constexpr uint32_t kStructuredOf = 8;
// Somebody small in a large shadow has it within fewer, two of so many; a shadow's edge, which is a line, has not.
constexpr int kCloseReach = 2;
constexpr uint32_t kCloseOf = 5;
// The least share of blocks that prove light in a window whose background may follow.
constexpr uint32_t kLitOf = 4;
// Sums of luma over a block beyond which a sensor has clipped texture away.
constexpr int32_t kDark = 18 * kBlockArea;
constexpr int32_t kBright = 226 * kBlockArea;

constexpr uint32_t kFieldMask = (1U << 10) - 1;
static_assert((2 * kReach + 1) * (2 * kReach + 1) <= static_cast<int>(kFieldMask), "a window's counts fit the fields");

}  // namespace

ShadeFilter::ShadeFilter(int width_px, int height_px)
    : width_px_(width_px),
      height_px_(height_px),
      columns_((width_px + kBlockPx - 1) / kBlockPx),
      rows_((height_px + kBlockPx - 1) / kBlockPx),
      kinds_(static_cast<size_t>(columns_) * static_cast<size_t>(rows_)),
      sums_(static_cast<size_t>(width_px)),
      counts_(kinds_.size()),
      integral_(static_cast<size_t>(columns_ + 1) * static_cast<size_t>(rows_ + 1)),
      leaving_(kinds_.size()) {}

size_t ShadeFilter::CornerOf(int column, int row) const {
  const int left = std::min(column * kBlockPx, width_px_ - kBlockPx);
  const int top = std::min(row * kBlockPx, height_px_ - kBlockPx);
  return static_cast<size_t>(top) * static_cast<size_t>(width_px_) + static_cast<size_t>(left);
}

ShadeFilter::Kind ShadeFilter::KindOf(const ShadeFrame& frame, int column, int row) const {
  const size_t stride = static_cast<size_t>(width_px_);
  const size_t corner = CornerOf(column, row);
  const Moments m = MomentsOf(frame.luma.data() + corner, frame.background.data() + corner, stride);
  if (m.a < kDark || m.a > kBright) return kUnclear;
  // Twice the mean deviation and two levels are no texture. One row of the block stands for all of it.
  const int64_t level = (SumOfEight(frame.noise.data() + corner + 3 * stride) >> 9) + kBlockArea;
  const int64_t flat = 4 * level * level;
  const int64_t a = m.VarianceOfLuma();
  const int64_t b = m.VarianceOfBackground();
  const int64_t ab = m.Covariance();
  const bool alike = ab > 0 && 2 * ab * ab >= a * b;
  const int64_t allowed = flat + a / 4;
  // What is left of the luma's variance when the background's share of it is taken away.
  const bool explained = ab > 0 && b > kBlockArea * kBlockArea / 2 ? a * b - ab * ab <= allowed * b : a <= allowed;
  const bool texture_lost = b > 4 * flat && !alike;
  if (!explained || texture_lost) return kStructured;
  return b >= flat && alike ? kLit : kUnclear;
}

// Counts the foreground of a row's blocks; false, and nothing counted, where there is none.
bool ShadeFilter::CountBlocks(const ShadeFrame& frame, int row, uint8_t* counts) {
  const size_t width = static_cast<size_t>(width_px_);
  const size_t top = static_cast<size_t>(std::min(row * kBlockPx, height_px_ - kBlockPx));
  int32_t ones = 0;
  for (size_t y = top; y < top + kBlockPx; ++y) ones += frame.row_counts[y];
  if (ones == 0) return false;
  uint8_t* const sums = sums_.data();
  const uint8_t* const lines = frame.mask.data() + top * width;
  for (size_t x = 0; x < width; ++x) {
    uint8_t sum = 0;
    for (size_t y = 0; y < kBlockPx; ++y) sum = static_cast<uint8_t>(sum + lines[y * width + x]);
    sums[x] = sum;
  }
  for (int c = 0; c < columns_; ++c) {
    counts[c] = SumOfBytes(sums + std::min(c * kBlockPx, width_px_ - kBlockPx));
  }
  return true;
}

// False where no block has foreground.
bool ShadeFilter::Classify(const ShadeFrame& frame) {
  const size_t stride = static_cast<size_t>(columns_) + 1;
  bool any = false;
  for (int row = 0; row < rows_; ++row) {
    const size_t blocks = static_cast<size_t>(row) * static_cast<size_t>(columns_);
    const bool empty = !CountBlocks(frame, row, counts_.data() + blocks);
    uint32_t* const kinds = kinds_.data() + blocks;
    const uint32_t* const above = integral_.data() + static_cast<size_t>(row) * stride;
    uint32_t* const here = integral_.data() + static_cast<size_t>(row + 1) * stride;
    uint32_t sum = 0;
    for (int c = 0; c < columns_; ++c) {
      const int count = empty ? 0 : counts_[blocks + static_cast<size_t>(c)];
      kinds[c] = count == 0 ? kNone : count < kMinCount ? kUnclear : KindOf(frame, c, row);
      sum += kinds[c];
      here[c + 1] = above[c + 1] + sum;
    }
    any = any || !empty;
  }
  return any;
}

// The integral wraps around; differences within a window don't.
uint32_t ShadeFilter::WindowOf(int column, int row, int reach) const {
  const size_t stride = static_cast<size_t>(columns_) + 1;
  const size_t left = static_cast<size_t>(std::max(0, column - reach));
  const size_t right = static_cast<size_t>(std::min(columns_, column + reach + 1));
  const size_t top = static_cast<size_t>(std::max(0, row - reach)) * stride;
  const size_t bottom = static_cast<size_t>(std::min(rows_, row + reach + 1)) * stride;
  return integral_[bottom + right] - integral_[top + right] - integral_[bottom + left] + integral_[top + left];
}

int ShadeFilter::Drop(const ShadeFrame& frame, int column, int row, bool certain) {
  int dropped = 0;
  size_t at = CornerOf(column, row);
  for (int y = 0; y < kBlockPx; ++y, at += static_cast<size_t>(width_px_)) {
    dropped += SumOfBytes(frame.mask.data() + at);
    std::memset(frame.mask.data() + at, 0, kBlockPx);
    if (!certain) continue;
    for (size_t i = at; i < at + kBlockPx; ++i) {
      const int32_t way = (frame.luma[i] << 8) - frame.background[i];
      frame.background[i] = static_cast<uint16_t>(frame.background[i] + way * static_cast<int32_t>(frame.follow) / 256);
      frame.age[i] = 0;
    }
  }
  return dropped;
}

// Whether enough around a block has structure; if not, whether light is certain there.
bool ShadeFilter::Keeps(int column, int row, bool* certain) const {
  const uint32_t window = WindowOf(column, row, kReach);
  const uint32_t all = window & kFieldMask;
  *certain = (window >> 10 & kFieldMask) * kLitOf >= all;
  if ((window >> 20) * kStructuredOf >= all) return true;
  const uint32_t close = WindowOf(column, row, kCloseReach);
  return (close >> 20) * kCloseOf >= 2 * (close & kFieldMask);
}

ShadeFilter::Outcome ShadeFilter::Apply(const ShadeFrame& frame) {
  Outcome outcome;
  if (!Classify(frame)) return outcome;
  int kept_px = 0;
  size_t leaving = 0;
  for (int row = 0; row < rows_; ++row) {
    for (int c = 0; c < columns_; ++c) {
      const size_t at = static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(c);
      if (kinds_[at] == kNone) continue;
      bool certain = false;
      if (Keeps(c, row, &certain)) {
        kept_px += counts_[at];
      } else {
        leaving_[leaving++] = {c, row, certain};
      }
    }
  }
  outcome.solid = kept_px >= frame.min_area_px;
  if (frame.grace && !outcome.solid) return outcome;
  for (const Leaving& block : std::span(leaving_).first(leaving)) {
    outcome.dropped_px += Drop(frame, block.column, block.row, block.certain);
  }
  return outcome;
}

}  // namespace latchkey
