// Greedy, largest component first: the track that shares most pixels with it, or else a near one of much the same size.
#include "tracks.h"

#include <algorithm>
#include <cstdlib>

namespace latchkey {

namespace {

constexpr size_t kMaxTracks = 2 * ComponentFinder::kMaxBoxes;
constexpr int32_t kMaxId = 1 << 30;
constexpr size_t kNoTrack = kMaxTracks;

int64_t Overlap(const Box& a, const Box& b) {
  const int64_t w = std::min(a.x + a.w, b.x + b.w) - std::max(a.x, b.x);
  const int64_t h = std::min(a.y + a.h, b.y + b.h) - std::max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

// Between the middles, no further than the two are large on average; somebody who runs moves that far in a frame.
bool Near(const Box& a, const Box& b) {
  const int dx = std::abs(2 * a.x + a.w - 2 * b.x - b.w);
  const int dy = std::abs(2 * a.y + a.h - 2 * b.y - b.h);
  const int64_t area_a = static_cast<int64_t>(a.w) * a.h;
  const int64_t area_b = static_cast<int64_t>(b.w) * b.h;
  return dx <= a.w + b.w && dy <= a.h + b.h && area_a <= 3 * area_b && area_b <= 3 * area_a;
}

}  // namespace

Tracker::Tracker() : tracks_(kMaxTracks), next_(kMaxTracks), taken_(kMaxTracks) {}

size_t Tracker::Nearest(const Box& box) const {
  size_t best = kNoTrack;
  int64_t most = 0;
  for (size_t i = 0; i < count_; ++i) {
    const int64_t shared = taken_[i] != 0 ? 0 : Overlap(box, tracks_[i].box);
    if (shared <= most) continue;
    most = shared;
    best = i;
  }
  for (size_t i = 0; i < count_ && best == kNoTrack; ++i) {
    if (taken_[i] == 0 && Near(box, tracks_[i].box)) best = i;
  }
  return best;
}

std::span<Track> Tracker::Update(std::span<const Box> boxes, double now_ms) {
  std::fill(taken_.begin(), taken_.end(), uint8_t{0});
  size_t count = 0;
  for (const Box& box : boxes) {
    const size_t known = Nearest(box);
    Track& track = next_[count++];
    if (known == kNoTrack) {
      last_id_ = last_id_ % kMaxId + 1;
      track = {last_id_, box, now_ms, now_ms, -1};
      continue;
    }
    taken_[known] = 1;
    track = tracks_[known];
    track.box = box;
    track.last_ms = now_ms;
  }
  const size_t seen = count;
  for (size_t i = 0; i < count_ && count < kMaxTracks; ++i) {
    if (taken_[i] == 0 && now_ms - tracks_[i].last_ms <= kForgetMs) next_[count++] = tracks_[i];
  }
  std::swap(tracks_, next_);
  count_ = count;
  return {tracks_.data(), seen};
}

}  // namespace latchkey
