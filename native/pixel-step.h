// What happens to every pixel of every frame: the background model's step and the clean-up of the foreground. Each
// instruction set has its own kernel; all give the same bytes as the scalar one, which is the specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace latchkey {

// Noise is capped, so that no pixel ever becomes blind.
inline constexpr uint16_t kNoiseCap = 16 * 256;
// A pixel that has been foreground for this many ticks becomes background. Ages stay below.
inline constexpr uint8_t kAbsorbTicks = 150;
inline constexpr uint8_t kMaxTicks = 8;
static_assert(kAbsorbTicks + kMaxTicks <= 255, "the age has 8 bits");

// The same for all pixels of one frame.
struct StepRates {
  // 8.8 levels that a pixel may differ from its background. With kNeverForeground everything is learnt.
  static constexpr uint16_t kNeverForeground = 0xffff;
  uint16_t floor;
  uint16_t gain;    // deviations of noise that it may differ on top: an eighth of them in 0.16
  int shift;        // the background moves by 2^-shift of the difference, 1..15
  int noise_shift;  // likewise the noise
  uint8_t ticks;    // of time passed since the last frame, at most kMaxTicks
};

// One row of the model. None of the planes overlap.
struct StepRow {
  const uint8_t* luma;
  uint8_t* previous;
  uint16_t* background;  // 8.8
  uint16_t* noise;       // 8.8, at most kNoiseCap
  uint8_t* age;          // ticks, below kAbsorbTicks
  uint8_t* foreground;   // written: 0 or 1
};

// No function reads or writes outside its row, none needs alignment, and every width from kMinWidthPx on is right.
struct PixelKernel {
  static constexpr size_t kMinWidthPx = 2;
  const char* name;
  // Returns the number of foreground pixels.
  int (*step)(const StepRates& rates, size_t width, const StepRow& row);
  // sums[x] = foreground[x - 1] + foreground[x] + foreground[x + 1], without what lies outside.
  void (*sum)(size_t width, const uint8_t* foreground, uint8_t* sums);
  // mask[x] = zone[x] where the 3x3 neighbours add up to at least kMajority. Returns the number of pixels set.
  int (*clean)(size_t width, const uint8_t* above, const uint8_t* here, const uint8_t* below, const uint8_t* zone,
               uint8_t* mask);
};

// Of nine: removes specks, fills pin-holes.
inline constexpr uint8_t kMajority = 4;

// What this processor can run: the scalar kernel first, the fastest last.
std::span<const PixelKernel* const> PixelKernels();

extern const PixelKernel kScalarKernel;
#if defined(__x86_64__)
extern const PixelKernel kSse2Kernel;
extern const PixelKernel kAvx2Kernel;
#elif defined(__aarch64__)
extern const PixelKernel kNeonKernel;
#endif

}  // namespace latchkey
