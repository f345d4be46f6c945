// Connected components against a flood fill.
#include "../components.h"

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "check.h"

namespace {

using latchkey::Box;
using latchkey::ComponentFinder;

// What the finder should find, by flooding from cell to cell.
std::vector<Box> FloodBoxes(const std::vector<uint8_t>& mask, int width, int height, int min_area_px) {
  const int columns = (width + 3) / 4;
  const int rows = (height + 3) / 4;
  std::vector<int> counts(static_cast<size_t>(columns) * rows);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) counts[(y / 4) * columns + x / 4] += mask[static_cast<size_t>(y) * width + x];
  }
  std::vector<bool> done(counts.size());
  std::vector<Box> boxes;
  for (int start = 0; start < columns * rows; ++start) {
    if (done[start] || counts[start] < ComponentFinder::kMinCellCount) continue;
    std::vector<int> open = {start};
    done[start] = true;
    int area = 0;
    int left = width, top = height, right = -1, bottom = -1;
    while (!open.empty()) {
      const int cell = open.back();
      open.pop_back();
      area += counts[cell];
      for (int y = cell / columns * 4; y < std::min(height, cell / columns * 4 + 4); ++y) {
        for (int x = cell % columns * 4; x < std::min(width, cell % columns * 4 + 4); ++x) {
          if (mask[static_cast<size_t>(y) * width + x] == 0) continue;
          left = std::min(left, x);
          right = std::max(right, x);
          top = std::min(top, y);
          bottom = std::max(bottom, y);
        }
      }
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
          const int c = cell % columns + dx;
          const int r = cell / columns + dy;
          if (c < 0 || r < 0 || c >= columns || r >= rows) continue;
          const int next = r * columns + c;
          if (done[next] || counts[next] < ComponentFinder::kMinCellCount) continue;
          done[next] = true;
          open.push_back(next);
        }
      }
    }
    if (area >= min_area_px) boxes.push_back({left, top, right - left + 1, bottom - top + 1});
  }
  return boxes;
}

std::vector<int32_t> RowCounts(const std::vector<uint8_t>& mask, int width) {
  std::vector<int32_t> counts;
  for (auto row = mask.begin(); row != mask.end(); row += width) counts.push_back(static_cast<int32_t>(std::count(row, row + width, 1)));
  return counts;
}

TEST("components are those of a flood fill over cells, boxes exact to the pixel") {
  std::mt19937 random(11);
  const auto before = [](const Box& a, const Box& b) {
    return std::tie(a.x, a.y, a.w, a.h) < std::tie(b.x, b.y, b.w, b.h);
  };
  for (const auto& [width, height] : {std::pair{70, 50}, {67, 33}, {16, 16}, {129, 18}}) {
    ComponentFinder finder(width, height);
    for (int round = 0; round < 120; ++round) {
      std::vector<uint8_t> mask(static_cast<size_t>(width) * height);
      const unsigned share = 3 + static_cast<unsigned>(round) % 40 * (round % 3 + 1);
      for (uint8_t& p : mask) p = random() % 100 < share ? 1 : 0;
      // Rows without any are skipped.
      if (round % 4 == 0) std::fill_n(mask.begin() + 8 * width, 8 * width - 3, uint8_t{0});
      std::vector<Box> wanted = FloodBoxes(mask, width, height, 6);
      const auto found = finder.Find(mask, RowCounts(mask, width), 6);
      CHECK(found.size() == std::min<size_t>(wanted.size(), ComponentFinder::kMaxBoxes));
      if (wanted.size() > ComponentFinder::kMaxBoxes) continue;
      std::vector<Box> got(found.begin(), found.end());
      std::sort(got.begin(), got.end(), before);
      std::sort(wanted.begin(), wanted.end(), before);
      CHECK(std::equal(got.begin(), got.end(), wanted.begin(), wanted.end(), [&](const Box& a, const Box& b) {
        return !before(a, b) && !before(b, a);
      }));
    }
  }
}

TEST("every cell its own component, the worst case, fits the tables") {
  for (const int side : {16, 17, 18, 19, 63}) {
    ComponentFinder finder(side, side);
    std::vector<uint8_t> mask(static_cast<size_t>(side) * side);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) mask[static_cast<size_t>(y) * side + x] = (x / 4) % 2 == 0 && (y / 4) % 2 == 0;
    }
    CHECK(!finder.Find(mask, RowCounts(mask, side), 1).empty());
  }
}

}  // namespace
