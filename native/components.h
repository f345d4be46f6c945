// Groups the foreground mask into connected components. Works on cells of 4x4 pixels, so that a person broken into
// pieces by a low-contrast belt stays one component, while boxes are still exact to the pixel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace latchkey {

struct Box {
  int32_t x = 0;
  int32_t y = 0;
  int32_t w = 0;
  int32_t h = 0;

  bool operator==(const Box&) const = default;
};

class ComponentFinder {
 public:
  static constexpr int kCellPx = 4;
  // Foreground pixels that make a cell active: fewer are left-over noise.
  static constexpr int kMinCellCount = 3;
  static constexpr int kMaxBoxes = 64;

  ComponentFinder(int width_px, int height_px);

  // `mask` holds 0 or 1 for every pixel. Returns the boxes of components with at least `min_area_px` foreground pixels,
  // largest area first, at most kMaxBoxes. The span is valid until the next call. Does not allocate.
  // `row_counts` says how many pixels of each row are 1 at most; rows of 0 are not looked at.
  std::span<const Box> Find(std::span<const uint8_t> mask, std::span<const int32_t> row_counts, int min_area_px);

 private:
  struct Component {
    int32_t area_px;
    int32_t left, top, right, bottom;  // inclusive

    void Include(const Component& other);
  };

  void CountRow(std::span<const uint8_t> mask, int row);
  void LabelRow(std::span<const uint8_t> mask, int row);
  uint32_t ColumnsOf(std::span<const uint8_t> mask, int row, int column) const;
  bool AnyIn(std::span<const uint8_t> mask, int y, int first, int last) const;
  Component MeasureRun(std::span<const uint8_t> mask, int row, int first, int last) const;
  int LabelOf(const int32_t* above, int first, int last);
  int NextCell(int from, bool active) const;
  int Root(int label);

  int width_px_;
  int height_px_;
  int columns_;
  int rows_;
  std::vector<uint8_t> column_sums_;
  std::vector<uint8_t> counts_;   // of one row of cells, 0 where the cell is not active; a word of zeros at the end
  std::vector<int32_t> labels_;   // of two rows, 0 = none; one border column on each side
  std::vector<int32_t> parents_;  // union-find over provisional labels
  std::vector<Component> components_;
  int label_end_ = 1;
  std::vector<int32_t> order_;
  std::vector<Box> boxes_;
};

}  // namespace latchkey
