// Union-find over runs of cells, row by row in one pass: count, label (8-connected), measure. Rows and words of cells without
// foreground, most of nearly every picture, cost one test.
#include "components.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace latchkey {

namespace {

constexpr int kWordCells = 8;
static_assert(std::endian::native == std::endian::little, "the first pixel is the lowest byte of a word");

// Of bytes below 128.
bool HasNoZero(uint64_t word) { return ((word + 0x7f7f7f7f7f7f7f7fU) & 0x8080808080808080U) == 0x8080808080808080U; }

}  // namespace

ComponentFinder::ComponentFinder(int width_px, int height_px)
    : width_px_(width_px),
      height_px_(height_px),
      columns_((width_px + kCellPx - 1) / kCellPx),
      rows_((height_px + kCellPx - 1) / kCellPx),
      column_sums_(static_cast<size_t>(columns_ + 1) * kCellPx),
      counts_(static_cast<size_t>(columns_ + kWordCells)),
      labels_(static_cast<size_t>(columns_ + 2) * 2) {
  // A provisional label starts only where no neighbour above or to the left is active, so at most every second cell.
  const size_t max_labels = static_cast<size_t>(columns_) * rows_ / 2 + static_cast<size_t>(columns_ + rows_) + 2;
  parents_.resize(max_labels);
  components_.resize(max_labels);
  order_.resize(max_labels);
  boxes_.resize(kMaxBoxes);
}

void ComponentFinder::Component::Include(const Component& other) {
  area_px += other.area_px;
  left = std::min(left, other.left);
  top = std::min(top, other.top);
  right = std::max(right, other.right);
  bottom = std::max(bottom, other.bottom);
}

void ComponentFinder::CountRow(std::span<const uint8_t> mask, int row) {
  const int first = row * kCellPx;
  const size_t width = static_cast<size_t>(width_px_);
  uint8_t* const sums = column_sums_.data();
  const uint8_t* const lines = mask.data() + static_cast<size_t>(first) * width;
  if (first + kCellPx <= height_px_) {
    for (size_t x = 0; x < width; ++x) {
      sums[x] = static_cast<uint8_t>(lines[x] + lines[width + x] + lines[2 * width + x] + lines[3 * width + x]);
    }
  } else {
    std::memcpy(sums, lines, width);
    for (size_t y = 1; y < static_cast<size_t>(height_px_ - first); ++y) {
      for (size_t x = 0; x < width; ++x) sums[x] = static_cast<uint8_t>(sums[x] + lines[y * width + x]);
    }
  }
  // Columns beyond the width stay 0 for ever, so the last cell needs no special case.
  uint8_t* const counts = counts_.data();
  std::memset(counts, 0, counts_.size());
  for (int c = 0; c < columns_; c += 2) {
    uint64_t two;
    std::memcpy(&two, sums + static_cast<ptrdiff_t>(c) * kCellPx, sizeof two);
    if (two == 0) continue;
    two += two >> 16;
    two += two >> 8;
    const uint8_t first_count = static_cast<uint8_t>(two);
    const uint8_t second_count = static_cast<uint8_t>(two >> 32);
    counts[c] = first_count < kMinCellCount ? 0 : first_count;
    counts[c + 1] = second_count < kMinCellCount ? 0 : second_count;
  }
}

// Which columns of a cell have foreground: a byte for each, the leftmost lowest.
uint32_t ComponentFinder::ColumnsOf(std::span<const uint8_t> mask, int row, int column) const {
  const int left = column * kCellPx;
  const int bottom = std::min((row + 1) * kCellPx, height_px_);
  const size_t cell_width = static_cast<size_t>(std::min(kCellPx, width_px_ - left));
  uint32_t any = 0;
  for (int y = row * kCellPx; y < bottom; ++y) {
    uint32_t four = 0;
    std::memcpy(&four, mask.data() + static_cast<size_t>(y) * static_cast<size_t>(width_px_) + left, cell_width);
    any |= four;
  }
  return any;
}

bool ComponentFinder::AnyIn(std::span<const uint8_t> mask, int y, int first, int last) const {
  const uint8_t* const line = mask.data() + static_cast<size_t>(y) * static_cast<size_t>(width_px_);
  int x = first * kCellPx;
  const int end = std::min((last + 1) * kCellPx, width_px_);
  for (; x + 8 <= end; x += 8) {
    uint64_t eight;
    std::memcpy(&eight, line + x, sizeof eight);
    if (eight != 0) return true;
  }
  for (; x < end; ++x) {
    if (line[x] != 0) return true;
  }
  return false;
}

// Of the active cells from `first` to `last`, which stand side by side.
ComponentFinder::Component ComponentFinder::MeasureRun(std::span<const uint8_t> mask, int row, int first, int last) const {
  int32_t area_px = 0;
  for (int c = first; c <= last; ++c) area_px += counts_[static_cast<size_t>(c)];
  int top = row * kCellPx;
  int bottom = std::min(top + kCellPx, height_px_) - 1;
  while (!AnyIn(mask, top, first, last)) ++top;
  while (!AnyIn(mask, bottom, first, last)) --bottom;
  const int left = first * kCellPx + std::countr_zero(ColumnsOf(mask, row, first)) / 8;
  const int right = (last + 1) * kCellPx - 1 - std::countl_zero(ColumnsOf(mask, row, last)) / 8;
  return {area_px, left, top, right, bottom};
}

int ComponentFinder::Root(int label) {
  while (parents_[label] != label) {
    parents_[label] = parents_[parents_[label]];
    label = parents_[label];
  }
  return label;
}

// Joins what the neighbours above the cells from `first` to `last` belong to, or starts a component.
int ComponentFinder::LabelOf(const int32_t* above, int first, int last) {
  int label = 0;
  int before = 0;
  for (int c = first - 1; c <= last + 1; ++c) {
    if (above[c] == before || above[c] == 0) continue;
    before = above[c];
    const int root = Root(before);
    if (label == 0) {
      label = root;
    } else if (root < label) {
      parents_[label] = root;
      label = root;
    } else {
      parents_[root] = label;
    }
  }
  if (label != 0) return label;
  parents_[label_end_] = label_end_;
  components_[label_end_] = {0, width_px_, height_px_, -1, -1};
  return label_end_++;
}

// The first cell from `from` on that is active, or is not; the number of columns if there is none.
int ComponentFinder::NextCell(int from, bool active) const {
  int c = from;
  while (c < columns_) {
    uint64_t word;
    std::memcpy(&word, counts_.data() + c, sizeof word);
    if (active ? word == 0 : HasNoZero(word)) {
      c += kWordCells;
      continue;
    }
    for (const int end = std::min(c + kWordCells, columns_); c < end; ++c) {
      if ((counts_[static_cast<size_t>(c)] != 0) == active) return c;
    }
  }
  return columns_;
}

void ComponentFinder::LabelRow(std::span<const uint8_t> mask, int row) {
  const size_t stride = static_cast<size_t>(columns_) + 2;
  int32_t* const here = labels_.data() + (row % 2 == 0 ? 0 : stride) + 1;
  const int32_t* const above = labels_.data() + (row % 2 == 0 ? stride : 0) + 1;
  std::fill_n(here, columns_, 0);
  for (int first = NextCell(0, true); first < columns_;) {
    const int end = NextCell(first, false);
    const int label = LabelOf(above, first, end - 1);
    std::fill_n(here + first, end - first, label);
    components_[label].Include(MeasureRun(mask, row, first, end - 1));
    first = NextCell(end, true);
  }
}

std::span<const Box> ComponentFinder::Find(std::span<const uint8_t> mask, std::span<const int32_t> row_counts,
                                           int min_area_px) {
  label_end_ = 1;
  std::fill(labels_.begin(), labels_.end(), 0);
  for (int row = 0; row < rows_; ++row) {
    int32_t ones = 0;
    for (int y = row * kCellPx; y < std::min((row + 1) * kCellPx, height_px_); ++y) ones += row_counts[static_cast<size_t>(y)];
    if (ones == 0) {
      std::fill_n(labels_.begin() + (row % 2 == 0 ? 0 : columns_ + 2), columns_ + 2, 0);
      continue;
    }
    CountRow(mask, row);
    LabelRow(mask, row);
  }
  // A parent's label is always the smaller one, so by then everything has been passed on to it.
  for (int label = label_end_ - 1; label > 0; --label) {
    if (parents_[label] != label) components_[parents_[label]].Include(components_[label]);
  }
  int found = 0;
  for (int label = 1; label < label_end_; ++label) {
    if (parents_[label] == label && components_[label].area_px >= min_area_px) order_[found++] = label;
  }
  std::sort(order_.begin(), order_.begin() + found, [this](int a, int b) {
    if (components_[a].area_px != components_[b].area_px) return components_[a].area_px > components_[b].area_px;
    return a < b;
  });
  const int kept = std::min(found, kMaxBoxes);
  for (int i = 0; i < kept; ++i) {
    const Component& c = components_[order_[i]];
    boxes_[i] = {c.left, c.top, c.right - c.left + 1, c.bottom - c.top + 1};
  }
  return {boxes_.data(), static_cast<size_t>(kept)};
}

}  // namespace latchkey
