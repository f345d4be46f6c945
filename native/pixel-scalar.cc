// The kernel without vector instructions: the reference, and what other architectures get.
#include "pixel-scalar.h"

namespace latchkey {

namespace {

int Step(const StepRates& rates, size_t width, const StepRow& row) {
  int total = 0;
  for (size_t x = 0; x < width; ++x) total += StepPixel(rates, row, x);
  return total;
}

void Sum(size_t width, const uint8_t* foreground, uint8_t* sums) {
  for (size_t x = 0; x < width; ++x) sums[x] = SumPixel(width, foreground, x);
}

int Clean(size_t width, const uint8_t* above, const uint8_t* here, const uint8_t* below, const uint8_t* zone,
          uint8_t* mask) {
  int total = 0;
  for (size_t x = 0; x < width; ++x) {
    mask[x] = CleanPixel(above[x], here[x], below[x], zone[x]);
    total += mask[x];
  }
  return total;
}

}  // namespace

const PixelKernel kScalarKernel = {"scalar", &Step, &Sum, &Clean};

}  // namespace latchkey
