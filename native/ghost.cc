// Compares steps across the mask's left and right edges on every other row, which any upright thing has plenty of.
#include "ghost.h"

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace latchkey {

namespace {

constexpr int kRowStep = 2;
// The mask is smoothed, so that its edge lies within some pixels of the true one.
constexpr int kReachPx = 3;
constexpr int kMinEdges = 12;
// A step that an outline has at least, on average.
constexpr int kMinStep = 10;

}  // namespace

bool OutlineIsBackgrounds(const OutlineQuestion& q, const Box& box) {
  int edges = 0;
  int64_t picture = 0;
  int64_t behind = 0;
  const int first = box.x > kReachPx ? box.x : kReachPx;
  const int last = box.x + box.w < q.width_px - kReachPx ? box.x + box.w : q.width_px - kReachPx;
  for (int y = box.y; y < box.y + box.h; y += kRowStep) {
    const size_t row = static_cast<size_t>(y) * static_cast<size_t>(q.width_px);
    const uint8_t* const mask = q.mask.data() + row;
    const uint8_t* const luma = q.luma.data() + row;
    const uint16_t* const background = q.background.data() + row;
    const auto measure = [&](int x) {
      ++edges;
      picture += std::abs(luma[x + kReachPx - 1] - luma[x - kReachPx]);
      behind += std::abs((background[x + kReachPx - 1] >> 8) - (background[x - kReachPx] >> 8));
    };
    int x = first;
    for (; x + 8 <= last; x += 8) {
      uint64_t here, before;
      std::memcpy(&here, mask + x, sizeof here);
      std::memcpy(&before, mask + x - 1, sizeof before);
      // A mask is 0 or 1, so an edge is the lowest bit of its byte.
      for (uint64_t differs = here ^ before; differs != 0; differs &= differs - 1) {
        measure(x + std::countr_zero(differs) / 8);
      }
    }
    for (; x < last; ++x) {
      if (mask[x] != mask[x - 1]) measure(x);
    }
  }
  return edges >= kMinEdges && behind >= kMinStep * edges && behind >= 2 * picture;
}

}  // namespace latchkey
