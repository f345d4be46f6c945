// Prints `KERNEL FRAMES SHA-256` for every kernel of this processor, over the states and the foreground masks of a
// stream of luma frames: mask-hash WIDTH HEIGHT FPS [SENSITIVITY] <frames.gray
#include <cstdio>
#include <memory>
#include <vector>

#include "../motion.h"
#include "luma-stream.h"
#include "sha256.h"

using latchkey::MotionDetector;
using latchkey::MotionState;

int main(int argument_count, char** arguments) {
  luma::Stream stream;
  if (!stream.Parse(argument_count, arguments)) {
    std::fprintf(stderr, "usage: mask-hash WIDTH HEIGHT FPS [SENSITIVITY] <frames.gray\n");
    return 64;
  }
  struct Run {
    const char* name;
    std::unique_ptr<MotionDetector> detector;
    sha256::Digest digest;
  };
  std::vector<Run> runs;
  for (const latchkey::PixelKernel* kernel : latchkey::PixelKernels()) {
    latchkey::MotionOptions options;
    options.width_px = stream.width_px;
    options.height_px = stream.height_px;
    if (argument_count > 4) options.sensitivity = std::atof(arguments[4]);
    options.kernel = kernel;
    runs.push_back({kernel->name, MotionDetector::Create(options), {}});
    if (!runs.back().detector) {
      std::fprintf(stderr, "mask-hash: the size or the sensitivity is out of range\n");
      return 64;
    }
  }
  int frames = 0;
  for (std::vector<uint8_t> frame; stream.Read(&frame); ++frames) {
    for (Run& run : runs) {
      const MotionState state = run.detector->Detect(frame, frames * 1000 / stream.fps).state;
      const uint8_t code = static_cast<uint8_t>(state);
      run.digest.Add({&code, 1});
      if (state == MotionState::kQuiet || state == MotionState::kMotion) run.digest.Add(run.detector->foreground());
    }
  }
  for (Run& run : runs) std::printf("%s %d %s\n", run.name, frames, run.digest.Hex().c_str());
  return 0;
}
