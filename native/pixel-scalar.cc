// The kernel without vector instructions: the reference, and what other architectures get.
#include "pixel-scalar.h"

namespace latchkey {

namespace {

template <bool kLearns>
int Step(const StepRates& rates, size_t width, const StepRow& row) {
  int total = 0;
  for (size_t x = 0; x < width; ++x) total += StepPixel<kLearns>(rates, row, x);
  return total;
}

void Sum(size_t width, const uint8_t* foreground, uint8_t* sums) {
  for (size_t x = 0; x < width; ++x) sums[x] = SumPixel(width, foreground, x);
}

int Clean(size_t width, const uint8_t* const sums[5], const uint8_t* zone, uint8_t* mask) {
  int total = 0;
  for (size_t x = 0; x < width; ++x) {
    mask[x] = CleanPixel(sums, zone, x);
    total += mask[x];
  }
  return total;
}

}  // namespace

const PixelKernel kScalarKernel = {"scalar", &Step<true>, &Step<false>, &Sum, &Clean};

}  // namespace latchkey
