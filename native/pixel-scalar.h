// The specification of the per-pixel step, one pixel at a time. The other kernels use it for the rest of a row that
// fills no register. Everything is static: each kernel compiles its own copy for its own instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pixel-step.h"

namespace latchkey {

static inline int StepPixel(const StepRates& rates, const StepRow& row, size_t x) {
  const uint32_t value = static_cast<uint32_t>(row.luma[x]) << 8;
  const uint32_t old = row.background[x];
  const uint32_t level = row.noise[x];
  const uint32_t deviation = value > old ? value - old : old - value;
  const uint32_t wanted = rates.floor + ((level * rates.gain >> 16) << 3);
  const uint32_t threshold = wanted < 0xffff ? wanted : 0xffff;
  const bool foreground = deviation > threshold;

  // What moves from frame to frame raises the noise (leaves), what merely stands there does not (a visitor).
  const uint32_t last = static_cast<uint32_t>(row.previous[x]) << 8;
  const uint32_t step = value > last ? value - last : last - value;
  const uint32_t measured = foreground ? step : deviation;
  const uint32_t next = level - (level >> rates.noise_shift) + (measured >> rates.noise_shift);
  row.noise[x] = static_cast<uint16_t>(next < kNoiseCap ? next : kNoiseCap);
  row.previous[x] = row.luma[x];

  const uint32_t fading = 2U * rates.ticks;
  const uint32_t age = row.age[x];
  const uint32_t ticked = foreground ? age + rates.ticks : age > fading ? age - fading : 0;
  const bool absorbed = ticked >= kAbsorbTicks;
  row.age[x] = static_cast<uint8_t>(absorbed ? 0 : ticked);

  const uint32_t drifted = old - (old >> rates.shift) + (value >> rates.shift);
  row.background[x] = static_cast<uint16_t>(absorbed ? value : foreground ? old : drifted);
  row.foreground[x] = foreground ? 1 : 0;
  return foreground ? 1 : 0;
}

static inline uint8_t SumPixel(size_t width, const uint8_t* foreground, size_t x) {
  const int left = x > 0 ? foreground[x - 1] : 0;
  const int right = x + 1 < width ? foreground[x + 1] : 0;
  return static_cast<uint8_t>(left + foreground[x] + right);
}

static inline uint8_t CleanPixel(uint8_t above, uint8_t here, uint8_t below, uint8_t zone) {
  return above + here + below >= kMajority ? zone : 0;
}

}  // namespace latchkey
