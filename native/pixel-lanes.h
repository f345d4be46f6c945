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
  typename L::Words floor, gain;
  typename L::Shift shift, noise_shift, deviation_shift;
};

// Half a register of pixels, widened to 8.8. Returns all ones where the pixel is background.
template <class L, bool kLearns>
[[gnu::always_inline]] inline typename L::Words StepHalf(const LaneRates<L>& rates, typename L::Words value,
                                                         uint16_t* background, uint16_t* noise,
                                                         typename L::Words* threshold) {
  using Words = typename L::Words;
  const Words old = L::LoadWords(background);
  const Words level = L::LoadWords(noise);
  const Words deviation = L::Apart(value, old);
  *threshold = L::AddCapped(rates.floor, L::HighProduct(level, rates.gain));
  const Words still = L::AtMost(deviation, *threshold);
  if constexpr (kLearns) {
    const Words faded = L::Subtract(level, L::Right(level, rates.noise_shift));
    const Words next = L::AddCapped(faded, L::Right(deviation, rates.deviation_shift));
    L::StoreWords(noise, L::Choose(still, next, level));
    const Words drift = L::Subtract(L::Right(value, rates.shift), L::Right(old, rates.shift));
    L::StoreWords(background, L::Add(old, L::And(drift, still)));
  }
  return still;
}

// As MeetOther does, where `entered` is all ones.
template <class L>
[[gnu::always_inline]] inline void MeetLanes(typename L::Bytes entered, typename L::Bytes familiar,
                                             typename L::Bytes luma, typename L::Bytes other,
                                             typename L::Bytes trust, const StepRow& row, size_t x) {
  using Bytes = typename L::Bytes;
  const Bytes visit = L::AllBytes(kTrustPerVisit);
  const Bytes left = L::SubtractBytesCapped(trust, L::AllBytes(kTrustPerStranger));
  const Bytes kept = L::AtLeast(left, visit);
  const Bytes stranger_trust = L::ChooseBytes(kept, left, visit);
  const Bytes stranger_other = L::ChooseBytes(kept, other, luma);
  const Bytes met_trust = L::ChooseBytes(familiar, L::AddBytesCapped(trust, visit), stranger_trust);
  const Bytes met_other = L::ChooseBytes(familiar, L::Average(other, luma), stranger_other);
  L::StoreBytes(row.trust + x, L::ChooseBytes(entered, met_trust, trust));
  L::StoreBytes(row.other + x, L::ChooseBytes(entered, met_other, other));
}

// As TickPixel does.
template <class L>
[[gnu::always_inline]] inline void TickLanes(uint8_t ticks, typename L::Bytes away, typename L::Bytes trusted,
                                             typename L::Bytes luma, const StepRow& row, size_t x) {
  using Bytes = typename L::Bytes;
  using Words = typename L::Words;
  const Bytes age = L::LoadBytes(row.age + x);
  const Bytes was_trust = L::LoadBytes(row.trust + x);
  // Where nothing is away and nothing is remembered there is nothing to count.
  if (!L::Any(L::OrBytes(away, L::AtLeast(L::OrBytes(age, was_trust), L::AllBytes(1))))) return;
  const Bytes up = L::AllBytes(ticks);
  const Bytes sooner = L::AndBytes(trusted, L::AllBytes(static_cast<uint8_t>((kReturnTicks - 1) * ticks)));
  const Bytes down = L::AndNot(away, L::AllBytes(static_cast<uint8_t>(2 * ticks)));
  const Bytes aged = L::AddBytes(age, L::AddBytes(L::AndBytes(away, up), sooner));
  const Bytes ticked = L::SubtractBytesCapped(aged, down);
  const Bytes absorbed = L::AtLeast(ticked, L::AllBytes(kAbsorbTicks));
  L::StoreBytes(row.age + x, L::AndNot(absorbed, ticked));
  const Bytes trust = L::SubtractBytesCapped(was_trust, up);
  L::StoreBytes(row.trust + x, L::OrBytes(trust, absorbed));
  if (!L::Any(absorbed)) return;
  uint16_t* const background = row.background + x;
  uint16_t* const second = background + L::kBytes / 2;
  const Words old_low = L::LoadWords(background);
  const Words old_high = L::LoadWords(second);
  const Bytes behind = L::NarrowHigh(old_low, old_high);
  L::StoreBytes(row.other + x, L::ChooseBytes(absorbed, behind, L::LoadBytes(row.other + x)));
  Words low, high, value_low, value_high;
  L::WidenMask(absorbed, &low, &high);
  L::Widen(luma, &value_low, &value_high);
  L::StoreWords(background, L::Choose(low, value_low, old_low));
  L::StoreWords(second, L::Choose(high, value_high, old_high));
}

template <class L, bool kLearns, bool kTicks>
int StepLanes(const StepRates& rates, size_t width, const StepRow& row) {
  using Bytes = typename L::Bytes;
  using Words = typename L::Words;
  const LaneRates<L> lanes = {L::AllWords(rates.floor), L::AllWords(rates.gain), L::ShiftBy(rates.shift),
                              L::ShiftBy(rates.noise_shift), L::ShiftBy(rates.noise_shift - kNoiseBits)};
  const Bytes one = L::AllBytes(1);
  typename L::Total total = L::Zero();
  size_t x = 0;
  for (; x + L::kBytes <= width; x += L::kBytes) {
    const Bytes luma = L::LoadBytes(row.luma + x);
    Words value_low, value_high, threshold_low, threshold_high;
    L::Widen(luma, &value_low, &value_high);
    const size_t second = x + L::kBytes / 2;
    const Words low = StepHalf<L, kLearns>(lanes, value_low, row.background + x, row.noise + x, &threshold_low);
    const Words high =
        StepHalf<L, kLearns>(lanes, value_high, row.background + second, row.noise + second, &threshold_high);
    const Bytes away = L::Not(L::NarrowMask(low, high));
    Bytes trusted = L::AllBytes(0);
    // Nearly everywhere in nearly every frame nothing is away.
    if (L::Any(away)) {
      const Bytes other = L::LoadBytes(row.other + x);
      const Bytes trust = L::LoadBytes(row.trust + x);
      const Bytes familiar = L::AtLeast(L::NarrowHigh(threshold_low, threshold_high), L::ApartBytes(luma, other));
      trusted = L::AndBytes(L::AndBytes(away, familiar), L::AtLeast(trust, L::AllBytes(kTrusted)));
      if constexpr (kLearns) {
        const Bytes was = L::AtLeast(L::LoadBytes(row.away + x), one);
        const Bytes entered = L::AndNot(was, away);
        if (L::Any(entered)) MeetLanes<L>(entered, familiar, luma, other, trust, row, x);
      }
    }
    if constexpr (kLearns) L::StoreBytes(row.away + x, L::AndBytes(away, one));
    const Bytes foreground = L::AndBytes(L::AndNot(trusted, away), one);
    L::StoreBytes(row.foreground + x, foreground);
    total = L::Count(total, foreground);
    if constexpr (kTicks) TickLanes<L>(rates.ticks, away, trusted, luma, row, x);
  }
  int sum = L::Sum(total);
  for (; x < width; ++x) sum += StepPixel<kLearns>(rates, row, x);
  return sum;
}

template <class L, bool kLearns>
int StepRowLanes(const StepRates& rates, size_t width, const StepRow& row) {
  return rates.ticks == 0 ? StepLanes<L, kLearns, false>(rates, width, row)
                          : StepLanes<L, kLearns, true>(rates, width, row);
}

template <class L>
[[gnu::always_inline]] inline void SumLanes(const uint8_t* foreground, uint8_t* sums, size_t x) {
  using Bytes = typename L::Bytes;
  const Bytes outer = L::AddBytes(L::LoadBytes(foreground + x - 2), L::LoadBytes(foreground + x + 2));
  const Bytes inner = L::AddBytes(L::LoadBytes(foreground + x - 1), L::LoadBytes(foreground + x + 1));
  L::StoreBytes(sums + x, L::AddBytes(L::AddBytes(outer, inner), L::LoadBytes(foreground + x)));
}

// A register's worth before the right edge is summed once more rather than pixel by pixel.
template <class L>
void SumRowLanes(size_t width, const uint8_t* foreground, uint8_t* sums) {
  size_t x = 2;
  for (; x + L::kBytes + 2 <= width; x += L::kBytes) SumLanes<L>(foreground, sums, x);
  if (x > 2 && x + 2 < width) {
    SumLanes<L>(foreground, sums, width - L::kBytes - 2);
    x = width - 2;
  }
  for (; x < width; ++x) sums[x] = SumPixel(width, foreground, x);
  for (x = 0; x < 2 && x < width; ++x) sums[x] = SumPixel(width, foreground, x);
}

template <class L>
int CleanRowLanes(size_t width, const uint8_t* const sums[5], const uint8_t* zone, uint8_t* mask) {
  using Bytes = typename L::Bytes;
  const Bytes majority = L::AllBytes(kMajority);
  typename L::Total total = L::Zero();
  size_t x = 0;
  for (; x + L::kBytes <= width; x += L::kBytes) {
    const Bytes outer = L::AddBytes(L::LoadBytes(sums[0] + x), L::LoadBytes(sums[4] + x));
    const Bytes inner = L::AddBytes(L::LoadBytes(sums[1] + x), L::LoadBytes(sums[3] + x));
    const Bytes sum = L::AddBytes(L::AddBytes(outer, inner), L::LoadBytes(sums[2] + x));
    const Bytes kept = L::AndBytes(L::AtLeast(sum, majority), L::LoadBytes(zone + x));
    L::StoreBytes(mask + x, kept);
    total = L::Count(total, kept);
  }
  int count = L::Sum(total);
  for (; x < width; ++x) {
    mask[x] = CleanPixel(sums, zone, x);
    count += mask[x];
  }
  return count;
}

template <class L>
constexpr PixelKernel KernelOf(const char* name) {
  return {name, &StepRowLanes<L, true>, &StepRowLanes<L, false>, &SumRowLanes<L>, &CleanRowLanes<L>};
}

}  // namespace latchkey
