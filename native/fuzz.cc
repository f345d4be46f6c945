// Any bytes as a camera's life: a size, a sensitivity, zones, then frames at odd times. The scalar detector and the
// fastest one have to agree on every frame, and no box may leave the picture. With libFuzzer, or with
// test/fuzz-replay.cc as a plain program (native/fuzz.sh).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "motion.h"

namespace {

using latchkey::Box;
using latchkey::MotionDetector;
using latchkey::MotionOptions;
using latchkey::MotionResult;
using latchkey::MotionState;
using latchkey::Track;

constexpr int kMaxSidePx = 50;
constexpr int kMaxFrames = 16;
// At the longest steps more than absorption takes.
constexpr int kStillFrames = 24;

void Demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s does not hold\n", what);
  std::abort();
}

// Reads values off the front; zeros after the end.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename Value>
  Value Take() {
    Value value = {};
    const std::span<const uint8_t> taken = TakeBytes(sizeof value);
    if (!taken.empty()) std::memcpy(&value, taken.data(), taken.size());
    return value;
  }

  std::span<const uint8_t> TakeBytes(size_t count) {
    const std::span<const uint8_t> taken = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const uint8_t> bytes_;
};

// Mostly options that are valid, now and then anything.
MotionOptions TakeOptions(Input* input) {
  MotionOptions options;
  const uint8_t manner = input->Take<uint8_t>();
  options.width_px = 16 + input->Take<uint8_t>() % (kMaxSidePx - 15);
  options.height_px = 16 + input->Take<uint8_t>() % (kMaxSidePx - 15);
  options.sensitivity = input->Take<uint8_t>() / 255.0;
  options.min_area_ratio = input->Take<uint8_t>() / 4096.0;
  if (manner % 16 == 0) options.sensitivity = input->Take<double>();
  if (manner % 16 == 1) options.min_area_ratio = input->Take<double>();
  const int polygons = manner / 64;
  for (int z = 0; z < polygons; ++z) {
    latchkey::Polygon zone(input->Take<uint8_t>() % 8);
    for (latchkey::Point& point : zone) {
      point = {input->Take<uint8_t>() / 255.0, input->Take<uint8_t>() / 255.0};
    }
    if (manner % 16 == 2 && !zone.empty()) zone[0].x = input->Take<double>();
    (manner / 16 % 2 == 0 ? options.zones : options.privacy).push_back(zone);
  }
  return options;
}

// The next frame is the last one with something done to it.
void Change(Input* input, const MotionOptions& options, std::vector<uint8_t>* frame) {
  const auto width = static_cast<size_t>(options.width_px);
  const uint8_t what = input->Take<uint8_t>();
  const uint8_t level = input->Take<uint8_t>();
  switch (what % 4) {
    case 0: {  // a rectangle
      const int left = input->Take<uint8_t>() % options.width_px;
      const int top = input->Take<uint8_t>() % options.height_px;
      const int right = std::min(options.width_px, left + 1 + input->Take<uint8_t>());
      const int bottom = std::min(options.height_px, top + 1 + input->Take<uint8_t>());
      for (int y = top; y < bottom; ++y) {
        std::fill_n(frame->begin() + y * options.width_px + left, right - left, level);
      }
      return;
    }
    case 1:  // another light
      for (uint8_t& p : *frame) p = static_cast<uint8_t>(p * level / 128);
      return;
    case 2: {  // pixels as they come, from some place on
      const size_t at = level * width % frame->size();
      const std::span<const uint8_t> raw = input->TakeBytes(std::min<size_t>(frame->size() - at, 512));
      std::copy(raw.begin(), raw.end(), frame->begin() + static_cast<ptrdiff_t>(at));
      return;
    }
    default: {  // noise, or a pattern where `level` is small
      uint32_t state = level * 2654435761U + what;
      for (size_t i = 0; i < frame->size(); ++i) {
        state = state * 1664525U + 1013904223U;
        if (level < 32) (*frame)[i] = i / 4 % 2 == i / width / 4 % 2 ? 16 : 235;
        else (*frame)[i] = static_cast<uint8_t>((*frame)[i] + (state >> 24) % (level / 8U));
      }
    }
  }
}

void Compare(const MotionOptions& options, const MotionResult& a, const MotionResult& b) {
  Demand(a.state == b.state && a.foreground_ratio == b.foreground_ratio, "same state");
  Demand(a.foreground_ratio >= 0 && a.foreground_ratio <= 1, "a ratio");
  Demand(a.tracks.size() == b.tracks.size(), "same number of tracks");
  Demand((a.state == MotionState::kMotion) == !a.tracks.empty(), "tracks with motion only");
  for (size_t i = 0; i < a.tracks.size(); ++i) {
    const Track& track = a.tracks[i];
    const Box& one = track.box;
    Demand(one == b.tracks[i].box && track.id == b.tracks[i].id, "same tracks");
    Demand(track.first_ms <= track.last_ms, "an age");
    for (size_t k = 0; k < i; ++k) Demand(a.tracks[k].id != track.id, "names of their own");
    Demand(one.x >= 0 && one.y >= 0 && one.w > 0 && one.h > 0 && one.x + one.w <= options.width_px &&
               one.y + one.h <= options.height_px,
           "a box within the picture");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  Input input({bytes, count});
  MotionOptions options = TakeOptions(&input);
  options.kernel = latchkey::PixelKernels().front();
  const std::unique_ptr<MotionDetector> slow = MotionDetector::Create(options);
  Demand((slow != nullptr) == MotionDetector::Valid(options), "valid options make a detector");
  if (!slow) return 0;
  std::vector<std::unique_ptr<MotionDetector>> others;
  for (const latchkey::PixelKernel* kernel : latchkey::PixelKernels().subspan(1)) {
    options.kernel = kernel;
    others.push_back(MotionDetector::Create(options));
  }
  std::vector<uint8_t> frame(slow->luma_bytes(), 100);
  double time_ms = 0;
  for (int i = 0; i < kMaxFrames && !input.empty(); ++i) {
    const uint8_t pace = input.Take<uint8_t>();
    if (pace == 255) {
      time_ms = input.Take<double>();
    } else if (pace == 254) {
      slow->Reset();
      for (const auto& other : others) other->Reset();
    } else {
      time_ms += pace * 16;
    }
    Change(&input, options, &frame);
    // Now and then the same picture for a while: settles, ages, is absorbed.
    for (int repeat = pace % 16 == 15 ? kStillFrames : 1; repeat > 0; --repeat) {
      const MotionResult wanted = slow->Detect(frame, time_ms);
      for (const auto& other : others) {
        Compare(options, wanted, other->Detect(frame, time_ms));
        Demand(std::ranges::equal(slow->foreground(), other->foreground()), "same foreground");
      }
      time_ms += pace * 16;
    }
  }
  return 0;
}
