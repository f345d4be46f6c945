// Union-find over rows of cells in one pass: count, label (8-connected), measure. Rows and words of cells without
// foreground, most of nearly every picture, cost one test.
#include "components.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace latchkey {

namespace {

constexpr int kWordCells = 8;
static_assert(std::endian::native == std::endian::little, "the first pixel is the lowest byte of a word");

}  // namespace

ComponentFinder::ComponentFinder(int width_px, int height_px)
    : width_px_(width_px),
      height_px_(height_px),
      columns_((width_px + kCellPx - 1) / kCellPx),
      rows_((height_px + kCellPx - 1) / kCellPx),
      column_sums_(static_cast<size_t>(columns_) * kCellPx),
      counts_(static_cast<size_t>((columns_ + kWordCells - 1) / kWordCells) * kWordCells),
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
  const int last = std::min(first + kCellPx, height_px_);
  const size_t width = static_cast<size_t>(width_px_);
  uint8_t* const sums = column_sums_.data();
  std::memcpy(sums, mask.data() + static_cast<size_t>(first) * width, width);
  for (int y = first + 1; y < last; ++y) {
    const uint8_t* const line = mask.data() + static_cast<size_t>(y) * width;
    for (size_t x = 0; x < width; ++x) sums[x] = static_cast<uint8_t>(sums[x] + line[x]);
  }
  // Columns beyond the width stay 0 for ever, so the last cell needs no special case.
  uint8_t* const counts = counts_.data();
  for (int c = 0; c < columns_; ++c) {
    uint32_t four;
    std::memcpy(&four, sums + static_cast<ptrdiff_t>(c) * kCellPx, sizeof four);
    four += four >> 16;
    const uint32_t count = (four + (four >> 8)) & 0xff;
    counts[c] = static_cast<uint8_t>(count < kMinCellCount ? 0 : count);
  }
}

ComponentFinder::Component ComponentFinder::MeasureCell(std::span<const uint8_t> mask, int row, int column) const {
  const int left = column * kCellPx;
  const int top = row * kCellPx;
  const int count = counts_[static_cast<size_t>(column)];
  if (count == kCellPx * kCellPx) return {count, left, top, left + kCellPx - 1, top + kCellPx - 1};
  const int bottom = std::min(top + kCellPx, height_px_);
  const size_t cell_width = static_cast<size_t>(std::min(kCellPx, width_px_ - left));
  const uint8_t* line = mask.data() + static_cast<size_t>(top) * static_cast<size_t>(width_px_) + left;
  Component cell = {count, left, 0, 0, -1};
  uint32_t any = 0;
  for (int y = top; y < bottom; ++y, line += width_px_) {
    uint32_t four = 0;
    std::memcpy(&four, line, cell_width);
    if (four == 0) continue;
    if (any == 0) cell.top = y;
    cell.bottom = y;
    any |= four;
  }
  cell.left = left + std::countr_zero(any) / 8;
  cell.right = left + kCellPx - 1 - std::countl_zero(any) / 8;
  return cell;
}

int ComponentFinder::Root(int label) {
  while (parents_[label] != label) {
    parents_[label] = parents_[parents_[label]];
    label = parents_[label];
  }
  return label;
}

// Joins what the cell's neighbours belong to, or starts a component.
int ComponentFinder::LabelOf(const int32_t* here, const int32_t* above) {
  int label = 0;
  for (const int32_t neighbour : {here[-1], above[-1], above[0], above[1]}) {
    if (neighbour == 0 || neighbour == label) continue;
    const int root = Root(neighbour);
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

void ComponentFinder::LabelRow(std::span<const uint8_t> mask, int row) {
  const size_t stride = static_cast<size_t>(columns_) + 2;
  int32_t* const here = labels_.data() + (row % 2 == 0 ? 0 : stride) + 1;
  const int32_t* const above = labels_.data() + (row % 2 == 0 ? stride : 0) + 1;
  std::fill_n(here, columns_, 0);
  for (int first = 0; first < columns_; first += kWordCells) {
    uint64_t word;
    std::memcpy(&word, counts_.data() + first, sizeof word);
    for (; word != 0; word &= ~(uint64_t{0xff} << (std::countr_zero(word) / 8 * 8))) {
      const int c = first + std::countr_zero(word) / 8;
      here[c] = LabelOf(here + c, above + c);
      components_[here[c]].Include(MeasureCell(mask, row, c));
    }
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
