// The specification of the per-pixel step, one pixel at a time. The other kernels use it for the rest of a row that
// fills no register. Everything is static: each kernel compiles its own copy for its own instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pixel-step.h"

namespace latchkey {

static inline uint8_t MinusCapped(uint32_t a, uint32_t b) { return static_cast<uint8_t>(a > b ? a - b : 0); }

// Learns the other level of a pixel that has just come away from its background. One that stays away is learnt from
// once: somebody who stands there is no level that the pixel keeps coming to.
static inline void MeetOther(const StepRow& row, size_t x, bool familiar) {
  const uint32_t trust = row.trust[x];
  if (familiar) {
    row.trust[x] = static_cast<uint8_t>(trust + kTrustPerVisit < 255 ? trust + kTrustPerVisit : 255);
    row.other[x] = static_cast<uint8_t>((row.other[x] + row.luma[x] + 1) / 2);
    return;
  }
  const uint8_t left = MinusCapped(trust, kTrustPerStranger);
  const bool replaced = left < kTrustPerVisit;
  row.trust[x] = replaced ? kTrustPerVisit : left;
  if (replaced) row.other[x] = row.luma[x];
}

static inline void TickPixel(const StepRates& rates, const StepRow& row, size_t x, bool away, bool trusted) {
  row.trust[x] = MinusCapped(row.trust[x], rates.ticks);
  const uint32_t age = row.age[x];
  const uint32_t passed = trusted ? kReturnTicks * rates.ticks : rates.ticks;
  const uint32_t ticked = away ? age + passed : MinusCapped(age, 2U * rates.ticks);
  const bool absorbed = ticked >= kAbsorbTicks;
  row.age[x] = static_cast<uint8_t>(absorbed ? 0 : ticked);
  if (!absorbed) return;
  // What was behind is remembered: it is no stranger when it is seen again.
  row.other[x] = static_cast<uint8_t>(row.background[x] >> 8);
  row.trust[x] = 255;
  row.background[x] = static_cast<uint16_t>(row.luma[x] << 8);
}

template <bool kLearns>
static inline int StepPixel(const StepRates& rates, const StepRow& row, size_t x) {
  const uint32_t value = static_cast<uint32_t>(row.luma[x]) << 8;
  const uint32_t old = row.background[x];
  const uint32_t level = row.noise[x];
  const uint32_t deviation = value > old ? value - old : old - value;
  const uint32_t wanted = rates.floor + (level * rates.gain >> 16);
  const uint32_t threshold = wanted < 0xffff ? wanted : 0xffff;
  const bool away = deviation > threshold;

  const uint32_t luma = row.luma[x];
  const uint32_t other = row.other[x];
  const bool familiar = (luma > other ? luma - other : other - luma) <= threshold >> 8;
  const bool trusted = away && familiar && row.trust[x] >= kTrusted;

  if (kLearns) {
    if (!away) {
      const uint32_t next = level - (level >> rates.noise_shift) + (deviation >> (rates.noise_shift - kNoiseBits));
      row.noise[x] = static_cast<uint16_t>(next < 0xffff ? next : 0xffff);
      row.background[x] = static_cast<uint16_t>(old - (old >> rates.shift) + (value >> rates.shift));
    } else if (row.away[x] == 0) {
      MeetOther(row, x, familiar);
    }
    row.away[x] = away ? 1 : 0;
  }
  if (rates.ticks != 0) TickPixel(rates, row, x, away, trusted);
  const bool foreground = away && !trusted;
  row.foreground[x] = foreground ? 1 : 0;
  return foreground ? 1 : 0;
}

static inline uint8_t SumPixel(size_t width, const uint8_t* foreground, size_t x) {
  const size_t first = x < 2 ? 0 : x - 2;
  const size_t last = x + 2 < width ? x + 2 : width - 1;
  int sum = 0;
  for (size_t i = first; i <= last; ++i) sum += foreground[i];
  return static_cast<uint8_t>(sum);
}

static inline uint8_t CleanPixel(const uint8_t* const sums[5], const uint8_t* zone, size_t x) {
  return sums[0][x] + sums[1][x] + sums[2][x] + sums[3][x] + sums[4][x] >= kMajority ? zone[x] : 0;
}

}  // namespace latchkey
