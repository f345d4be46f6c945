// Gives components names that last from frame to frame, by where they are and how much they overlap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "components.h"

namespace latchkey {

struct Track {
  int32_t id = 0;  // from 1 on, never used again before 2^30 others
  Box box;
  double first_ms = 0;
  double last_ms = 0;
  double stale_ms = -1;  // since when its outline is the background's, -1 = it is not
};

class Tracker {
 public:
  // A component that reappears within this time and near enough is the same one.
  static constexpr double kForgetMs = 2000;

  Tracker();

  // One track for each box, in the boxes' order. The span is valid until the next call. Does not allocate.
  std::span<Track> Update(std::span<const Box> boxes, double now_ms);
  void Reset() { count_ = 0; }

 private:
  size_t Nearest(const Box& box) const;

  std::vector<Track> tracks_;  // the first count_; those of the last boxes first
  std::vector<Track> next_;
  std::vector<uint8_t> taken_;
  size_t count_ = 0;
  int32_t last_id_ = 0;
};

}  // namespace latchkey
