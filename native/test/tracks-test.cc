// Names of components: kept while they move, never shared, given anew to newcomers.
#include "../tracks.h"

#include <random>
#include <set>
#include <vector>

#include "check.h"

namespace {

using latchkey::Box;
using latchkey::Track;
using latchkey::Tracker;

TEST("a walker keeps its name, and its age is the time since it came") {
  Tracker tracker;
  const int32_t id = tracker.Update(std::vector<Box>{{0, 20, 20, 50}}, 1000)[0].id;
  for (int i = 1; i < 30; ++i) {
    const std::vector<Box> boxes = {{6 * i, 20 + i % 3, 20, 50}};
    const std::span<Track> tracks = tracker.Update(boxes, 1000 + 200 * i);
    CHECK(tracks.size() == 1 && tracks[0].id == id && tracks[0].box == boxes[0]);
    CHECK(tracks[0].last_ms - tracks[0].first_ms == 200 * i);
  }
}

TEST("two who change places in size keep their names") {
  Tracker tracker;
  const std::span<Track> first = tracker.Update(std::vector<Box>{{10, 10, 30, 60}, {100, 10, 20, 50}}, 0);
  const int32_t left = first[0].id;
  const int32_t right = first[1].id;
  CHECK(left != right);
  const std::span<Track> then = tracker.Update(std::vector<Box>{{98, 10, 34, 60}, {14, 10, 26, 55}}, 200);
  CHECK(then[0].id == right && then[1].id == left);
}

TEST("one who is lost for a moment is the same, one who comes after longer or elsewhere is new") {
  Tracker tracker;
  const std::vector<Box> here = {{50, 50, 20, 40}};
  const int32_t id = tracker.Update(here, 0)[0].id;
  CHECK(tracker.Update({}, 500).empty());
  CHECK(tracker.Update(here, 1500)[0].id == id);
  CHECK(tracker.Update(std::vector<Box>{{200, 50, 20, 40}}, 1700)[0].id != id);
  tracker.Update({}, 1700 + Tracker::kForgetMs + 1);
  CHECK(tracker.Update(here, 1900 + Tracker::kForgetMs)[0].id != id);
}

TEST("one component that parts gives its name to one part only") {
  Tracker tracker;
  const int32_t id = tracker.Update(std::vector<Box>{{10, 10, 60, 60}}, 0)[0].id;
  const std::span<Track> parts = tracker.Update(std::vector<Box>{{10, 10, 25, 60}, {45, 10, 25, 50}}, 200);
  CHECK(parts[0].id == id && parts[1].id != id);
}

TEST("names are unique among as many boxes as there can be, whatever they do") {
  Tracker tracker;
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    std::vector<Box> boxes(random() % (latchkey::ComponentFinder::kMaxBoxes + 1));
    for (Box& b : boxes) {
      b = {static_cast<int>(random() % 90), static_cast<int>(random() % 90), 1 + static_cast<int>(random() % 30), 9};
    }
    std::set<int32_t> ids;
    for (const Track& track : tracker.Update(boxes, 100.0 * i)) ids.insert(track.id);
    CHECK(ids.size() == boxes.size());
  }
  tracker.Reset();
  CHECK(tracker.Update({}, 0).empty());
}

}  // namespace
