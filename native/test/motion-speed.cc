// Prints what a frame costs each kernel, in nanoseconds a pixel on one thread, from pixels to boxes. Every frame counts
// with its fastest of ROUNDS passes over the whole stream: motion-speed WIDTH HEIGHT FPS [ROUNDS] <frames.gray
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <vector>

#include "../motion.h"
#include "luma-stream.h"

using latchkey::MotionDetector;
using Clock = std::chrono::steady_clock;

namespace {

std::vector<double> FastestNs(const latchkey::MotionOptions& options, double fps, int rounds,
                              const std::vector<std::vector<uint8_t>>& frames) {
  std::vector<double> fastest(frames.size(), std::numeric_limits<double>::max());
  for (int round = 0; round < rounds; ++round) {
    const std::unique_ptr<MotionDetector> detector = MotionDetector::Create(options);
    for (size_t i = 0; i < frames.size(); ++i) {
      const Clock::time_point start = Clock::now();
      detector->Detect(frames[i], static_cast<double>(i) * 1000 / fps);
      fastest[i] = std::min(fastest[i], std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
  }
  return fastest;
}

}  // namespace

int main(int argument_count, char** arguments) {
  luma::Stream stream;
  const int rounds = argument_count > 4 ? std::atoi(arguments[4]) : 10;
  latchkey::MotionOptions options;
  const bool parsed = stream.Parse(argument_count, arguments);
  options.width_px = stream.width_px;
  options.height_px = stream.height_px;
  if (!parsed || rounds < 1 || !MotionDetector::Valid(options)) {
    std::fprintf(stderr, "usage: motion-speed WIDTH HEIGHT FPS [ROUNDS] <frames.gray\n");
    return 64;
  }
  std::vector<std::vector<uint8_t>> frames;
  for (std::vector<uint8_t> frame; stream.Read(&frame);) frames.push_back(frame);
  const auto settling = static_cast<size_t>(stream.fps * MotionDetector::kSettleMs / 1000) + 2;
  if (frames.size() <= settling) {
    std::fprintf(stderr, "motion-speed: too few frames\n");
    return 65;
  }
  for (const latchkey::PixelKernel* kernel : latchkey::PixelKernels()) {
    options.kernel = kernel;
    std::vector<double> ns = FastestNs(options, stream.fps, rounds, frames);
    ns.erase(ns.begin(), ns.begin() + static_cast<std::ptrdiff_t>(settling));
    std::sort(ns.begin(), ns.end());
    double sum = 0;
    for (const double one : ns) sum += one;
    const double pixels = static_cast<double>(stream.width_px) * stream.height_px;
    std::printf("%-6s least %.3f, median %.3f, mean %.3f, most %.3f ns/px over %zu frames\n", kernel->name,
                ns.front() / pixels, ns[ns.size() / 2] / pixels, sum / static_cast<double>(ns.size()) / pixels,
                ns.back() / pixels, ns.size());
  }
  return 0;
}
