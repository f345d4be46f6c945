// Union-find over rows of cells: one pass of provisional labels (8-connected), one pass that measures.
#include "components.h"

#include <algorithm>
#include <cstring>

namespace latchkey {

ComponentFinder::ComponentFinder(int width_px, int height_px)
    : width_px_(width_px),
      height_px_(height_px),
      columns_((width_px + kCellPx - 1) / kCellPx),
      rows_((height_px + kCellPx - 1) / kCellPx),
      column_sums_(static_cast<size_t>(columns_) * kCellPx),
      counts_(static_cast<size_t>(columns_) * rows_),
      labels_(static_cast<size_t>(columns_ + 2) * (rows_ + 1)) {
  // A provisional label starts only where no neighbour above or to the left is active, so at most every second cell.
  const size_t max_labels = static_cast<size_t>(columns_) * rows_ / 2 + static_cast<size_t>(columns_ + rows_) + 2;
  parents_.resize(max_labels);
  components_.resize(max_labels);
  order_.resize(max_labels);
  boxes_.resize(kMaxBoxes);
}

void ComponentFinder::CountCells(std::span<const uint8_t> mask) {
  for (int row = 0; row < rows_; ++row) {
    uint8_t* sums = column_sums_.data();
    const int first = row * kCellPx;
    const int last = std::min(first + kCellPx, height_px_);
    std::memcpy(sums, mask.data() + static_cast<size_t>(first) * width_px_, static_cast<size_t>(width_px_));
    for (int y = first + 1; y < last; ++y) {
      const uint8_t* line = mask.data() + static_cast<size_t>(y) * width_px_;
      for (int x = 0; x < width_px_; ++x) sums[x] = static_cast<uint8_t>(sums[x] + line[x]);
    }
    uint8_t* counts = counts_.data() + static_cast<size_t>(row) * columns_;
    // Columns beyond the width stay 0 for ever, so the last cell needs no special case.
    for (int c = 0; c < columns_; ++c) {
      const uint8_t* s = sums + c * kCellPx;
      counts[c] = static_cast<uint8_t>(s[0] + s[1] + s[2] + s[3]);
    }
  }
}

int ComponentFinder::Root(int label) {
  while (parents_[label] != label) {
    parents_[label] = parents_[parents_[label]];
    label = parents_[label];
  }
  return label;
}

int ComponentFinder::Label() {
  const int stride = columns_ + 2;
  int next = 1;
  for (int row = 0; row < rows_; ++row) {
    const uint8_t* counts = counts_.data() + static_cast<size_t>(row) * columns_;
    int32_t* here = labels_.data() + static_cast<size_t>(row + 1) * stride + 1;
    const int32_t* above = here - stride;
    for (int c = 0; c < columns_; ++c) {
      if (counts[c] < kMinCellCount) {
        here[c] = 0;
        continue;
      }
      int label = 0;
      for (const int32_t neighbour : {here[c - 1], above[c - 1], above[c], above[c + 1]}) {
        if (neighbour == 0) continue;
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
      if (label == 0) {
        label = next++;
        parents_[label] = label;
        components_[label] = {0, width_px_, height_px_, -1, -1};
      }
      here[c] = label;
    }
  }
  return next;
}

void ComponentFinder::Measure(std::span<const uint8_t> mask) {
  const int stride = columns_ + 2;
  for (int row = 0; row < rows_; ++row) {
    const uint8_t* counts = counts_.data() + static_cast<size_t>(row) * columns_;
    const int32_t* labels = labels_.data() + static_cast<size_t>(row + 1) * stride + 1;
    const int top = row * kCellPx;
    const int bottom = std::min(top + kCellPx, height_px_);
    for (int c = 0; c < columns_; ++c) {
      if (labels[c] == 0) continue;
      Component& component = components_[Root(labels[c])];
      component.area_px += counts[c];
      const int left = c * kCellPx;
      const int right = std::min(left + kCellPx, width_px_);
      for (int y = top; y < bottom; ++y) {
        const uint8_t* line = mask.data() + static_cast<size_t>(y) * width_px_;
        for (int x = left; x < right; ++x) {
          if (line[x] == 0) continue;
          component.left = std::min(component.left, x);
          component.right = std::max(component.right, x);
          component.top = std::min(component.top, y);
          component.bottom = std::max(component.bottom, y);
        }
      }
    }
  }
}

std::span<const Box> ComponentFinder::Find(std::span<const uint8_t> mask, int min_area_px) {
  CountCells(mask);
  const int label_end = Label();
  if (label_end == 1) return {};
  Measure(mask);
  int found = 0;
  for (int label = 1; label < label_end; ++label) {
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
