// Takes away foreground that is only another light on the same things: clouds, exposure, headlights, glow. Works on
// blocks with foreground, so that it costs nothing while nothing moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latchkey {

struct ShadeFrame {
  std::span<const uint8_t> luma;
  std::span<uint16_t> background;      // 8.8; follows the light where the light is certain
  std::span<const uint16_t> noise;     // 4.12
  std::span<uint8_t> age;
  std::span<uint8_t> mask;             // 0 or 1
  std::span<const int32_t> row_counts; // of the mask's ones, row by row
  uint32_t follow;                     // how far the background goes to the luma, 0..256 of 256
  int min_area_px;                     // fewer pixels that stay are nobody
  bool grace;                          // somebody was there just now: take nothing away that would leave nobody
};

class ShadeFilter {
 public:
  ShadeFilter(int width_px, int height_px);

  struct Outcome {
    int dropped_px = 0;   // taken away from the mask
    bool solid = false;   // whether somebody is left by the measures of structure alone
  };

  // Does not allocate.
  Outcome Apply(const ShadeFrame& frame);

 private:
  // What a block's foreground looks like. Added up over a window, each value counts in a field of its own.
  enum Kind : uint32_t { kNone = 0, kUnclear = 1, kLit = 1 + (1 << 10), kStructured = 1 + (1 << 20) };

  struct Leaving {
    int column;
    int row;
    bool certain;
  };

  size_t CornerOf(int column, int row) const;
  Kind KindOf(const ShadeFrame& frame, int column, int row) const;
  bool CountBlocks(const ShadeFrame& frame, int row, uint8_t* counts);
  bool Classify(const ShadeFrame& frame);
  uint32_t WindowOf(int column, int row, int reach) const;
  bool Keeps(int column, int row, bool* certain) const;
  int Drop(const ShadeFrame& frame, int column, int row, bool certain);

  int width_px_;
  int height_px_;
  int columns_;  // the last ones overlap those before where the picture is no multiple of blocks
  int rows_;
  std::vector<uint32_t> kinds_;
  std::vector<uint8_t> sums_;    // of the mask's columns over a row of blocks
  std::vector<uint8_t> counts_;  // of the mask's ones in a block, for rows that have some
  std::vector<uint32_t> integral_;  // of the kinds, one border row and column of zeros
  std::vector<Leaving> leaving_;    // blocks of the frame at hand that have nothing but light
};

}  // namespace latchkey
