// Writes the foreground of every frame of a stream, a byte a pixel, 0 or 1: what the bench scores. Frames while the core
// learns, or in which the whole picture changed, are all 0: motion-masks WIDTH HEIGHT FPS <frames.gray >masks
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "../motion.h"
#include "luma-stream.h"

using latchkey::MotionDetector;
using latchkey::MotionState;

int main(int argument_count, char** arguments) {
  luma::Stream stream;
  const bool parsed = stream.Parse(argument_count, arguments);
  latchkey::MotionOptions options;
  options.width_px = stream.width_px;
  options.height_px = stream.height_px;
  const std::unique_ptr<MotionDetector> detector = parsed ? MotionDetector::Create(options) : nullptr;
  if (!detector) {
    std::fprintf(stderr, "usage: motion-masks WIDTH HEIGHT FPS <frames.gray >masks\n");
    return 64;
  }
  std::vector<uint8_t> mask;
  int index = 0;
  for (std::vector<uint8_t> frame; stream.Read(&frame); ++index) {
    const MotionState state = detector->Detect(frame, index * 1000 / stream.fps).state;
    mask.assign(frame.size(), 0);
    if (state == MotionState::kQuiet || state == MotionState::kMotion) {
      std::copy(detector->foreground().begin(), detector->foreground().end(), mask.begin());
    }
    if (std::fwrite(mask.data(), 1, mask.size(), stdout) != mask.size()) return 74;
  }
  return 0;
}
