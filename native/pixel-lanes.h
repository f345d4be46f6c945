// The per-pixel step over registers of any size. `L` names an instruction set's registers and operations; it has to be
// a type of its own file (unnamed namespace), so that no copy compiled for one processor is used on another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pixel-scalar.h"
#include "pixel-step.h"

namespace latchkey {

template <class L>
struct LaneRates {
  typename L::Words floor, gain, cap;
  typename L::Shift shift, noise_shift;
};

// Half a register of pixels, widened to 8.8. Returns all ones where the pixel is background.
template <class L>
[[gnu::always_inline]] inline typename L::Words StepHalf(const LaneRates<L>& rates, typename L::Words value,
                                                         typename L::Words step, uint16_t* background,
                                                         uint16_t* noise) {
  using Words = typename L::Words;
  const Words old = L::LoadWords(background);
  const Words level = L::LoadWords(noise);
  const Words deviation = L::Apart(value, old);
  const Words threshold = L::AddCapped(rates.floor, L::TimesEight(L::HighProduct(level, rates.gain)));
  const Words still = L::AtMost(deviation, threshold);
  const Words measured = L::Choose(still, deviation, step);
  const Words faded = L::Subtract(level, L::Right(level, rates.noise_shift));
  L::StoreWords(noise, L::Least(L::Add(faded, L::Right(measured, rates.noise_shift)), rates.cap));
  const Words drift = L::Subtract(L::Right(value, rates.shift), L::Right(old, rates.shift));
  L::StoreWords(background, L::Add(old, L::And(drift, still)));
  return still;
}

// Ages and absorbs; on frames without a tick neither changes anything.
template <class L>
[[gnu::always_inline]] inline void TickLanes(typename L::Bytes still, typename L::Bytes up, typename L::Bytes down,
                                             typename L::Words value_low, typename L::Words value_high,
                                             const StepRow& row, size_t x) {
  using Bytes = typename L::Bytes;
  using Words = typename L::Words;
  const Bytes aged = L::AddBytes(L::LoadBytes(row.age + x), L::AndNot(still, up));
  const Bytes ticked = L::SubtractBytesCapped(aged, L::AndBytes(still, down));
  const Bytes absorbed = L::AtLeast(ticked, L::AllBytes(kAbsorbTicks));
  L::StoreBytes(row.age + x, L::AndNot(absorbed, ticked));
  if (!L::Any(absorbed)) return;
  Words low, high;
  L::WidenMask(absorbed, &low, &high);
  uint16_t* const background = row.background + x;
  uint16_t* const second = background + L::kBytes / 2;
  L::StoreWords(background, L::Choose(low, value_low, L::LoadWords(background)));
  L::StoreWords(second, L::Choose(high, value_high, L::LoadWords(second)));
}

template <class L, bool kTicks>
int StepLanes(const StepRates& rates, size_t width, const StepRow& row) {
  using Bytes = typename L::Bytes;
  using Words = typename L::Words;
  const LaneRates<L> lanes = {L::AllWords(rates.floor), L::AllWords(rates.gain), L::AllWords(kNoiseCap),
                              L::ShiftBy(rates.shift), L::ShiftBy(rates.noise_shift)};
  const Bytes one = L::AllBytes(1);
  const Bytes up = L::AllBytes(rates.ticks);
  const Bytes down = L::AllBytes(static_cast<uint8_t>(2 * rates.ticks));
  typename L::Total total = L::Zero();
  size_t x = 0;
  for (; x + L::kBytes <= width; x += L::kBytes) {
    const Bytes luma = L::LoadBytes(row.luma + x);
    const Bytes step = L::ApartBytes(luma, L::LoadBytes(row.previous + x));
    L::StoreBytes(row.previous + x, luma);
    Words value_low, value_high, step_low, step_high;
    L::Widen(luma, &value_low, &value_high);
    L::Widen(step, &step_low, &step_high);
    const size_t second = x + L::kBytes / 2;
    const Words low = StepHalf<L>(lanes, value_low, step_low, row.background + x, row.noise + x);
    const Words high = StepHalf<L>(lanes, value_high, step_high, row.background + second, row.noise + second);
    const Bytes still = L::NarrowMask(low, high);
    const Bytes foreground = L::AndNot(still, one);
    L::StoreBytes(row.foreground + x, foreground);
    total = L::Count(total, foreground);
    if constexpr (kTicks) TickLanes<L>(still, up, down, value_low, value_high, row, x);
  }
  int sum = L::Sum(total);
  for (; x < width; ++x) sum += StepPixel(rates, row, x);
  return sum;
}

template <class L>
int StepRowLanes(const StepRates& rates, size_t width, const StepRow& row) {
  return rates.ticks == 0 ? StepLanes<L, false>(rates, width, row) : StepLanes<L, true>(rates, width, row);
}

template <class L>
void SumRowLanes(size_t width, const uint8_t* foreground, uint8_t* sums) {
  sums[0] = SumPixel(width, foreground, 0);
  size_t x = 1;
  for (; x + L::kBytes < width; x += L::kBytes) {
    const typename L::Bytes sides = L::AddBytes(L::LoadBytes(foreground + x - 1), L::LoadBytes(foreground + x + 1));
    L::StoreBytes(sums + x, L::AddBytes(sides, L::LoadBytes(foreground + x)));
  }
  for (; x < width; ++x) sums[x] = SumPixel(width, foreground, x);
}

template <class L>
int CleanRowLanes(size_t width, const uint8_t* above, const uint8_t* here, const uint8_t* below, const uint8_t* zone,
                  uint8_t* mask) {
  using Bytes = typename L::Bytes;
  const Bytes majority = L::AllBytes(kMajority);
  typename L::Total total = L::Zero();
  size_t x = 0;
  for (; x + L::kBytes <= width; x += L::kBytes) {
    const Bytes outer = L::AddBytes(L::LoadBytes(above + x), L::LoadBytes(below + x));
    const Bytes sum = L::AddBytes(outer, L::LoadBytes(here + x));
    const Bytes kept = L::AndBytes(L::AtLeast(sum, majority), L::LoadBytes(zone + x));
    L::StoreBytes(mask + x, kept);
    total = L::Count(total, kept);
  }
  int count = L::Sum(total);
  for (; x < width; ++x) {
    mask[x] = CleanPixel(above[x], here[x], below[x], zone[x]);
    count += mask[x];
  }
  return count;
}

template <class L>
constexpr PixelKernel KernelOf(const char* name) {
  return {name, &StepRowLanes<L>, &SumRowLanes<L>, &CleanRowLanes<L>};
}

}  // namespace latchkey
