// What happens to every pixel of every frame: the background model's step and the clean-up of the foreground. Each
// instruction set has its own kernel; all give the same bytes as the scalar one, which is the specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace latchkey {

// A pixel that has been away from its background for this many ticks takes on what it sees. Ages stay below.
inline constexpr uint8_t kAbsorbTicks = 150;
inline constexpr uint8_t kMaxTicks = 8;
// A pixel that sees its other level counts its ticks this many times: it goes back sooner.
inline constexpr uint8_t kReturnTicks = 8;
static_assert(kAbsorbTicks + kReturnTicks * kMaxTicks <= 255, "the age has 8 bits");

// How sure a pixel is of its other level: visits of it add up, visits of anything else and time take away.
inline constexpr uint8_t kTrustPerVisit = 24;
inline constexpr uint8_t kTrustPerStranger = 72;
// From here on the other level is background too: leaves that come and go, ground that something stood on.
inline constexpr uint8_t kTrusted = 144;

// The same for all pixels of one frame.
struct StepRates {
  // 8.8 levels that a pixel may differ from its background. With kNeverForeground everything is learnt.
  static constexpr uint16_t kNeverForeground = 0xffff;
  uint16_t floor;
  uint16_t gain;    // deviations of noise that it may differ on top, 4.12
  int shift;        // the background moves by 2^-shift of the difference, 1..15
  int noise_shift;  // likewise the noise, kNoiseBits..15
  uint8_t ticks;    // of time passed since the last frame, at most kMaxTicks
};

// Noise has this many more fraction bits than levels, so that slow averages of little noise don't stand still.
inline constexpr int kNoiseBits = 4;

// One row of the model. None of the planes overlap.
struct StepRow {
  const uint8_t* luma;
  uint16_t* background;  // 8.8
  uint16_t* noise;       // mean deviation, 4.12: below 16 levels, so that no pixel ever becomes blind
  uint8_t* age;          // ticks away from the background, below kAbsorbTicks
  uint8_t* other;        // another level that the pixel keeps coming to
  uint8_t* trust;        // in it
  uint8_t* away;         // 1 where the pixel was away when it was last learnt from, else 0
  uint8_t* foreground;   // written: 0 or 1
};

// No function reads or writes outside its row, none needs alignment, and every width from kMinWidthPx on is right.
struct PixelKernel {
  static constexpr size_t kMinWidthPx = 4;
  const char* name;
  // Looks at a row, and learns from it unless it is only looked at (time passes in both). Returns the number of
  // foreground pixels.
  int (*learn)(const StepRates& rates, size_t width, const StepRow& row);
  int (*look)(const StepRates& rates, size_t width, const StepRow& row);
  // sums[x] = foreground[x - 2] + … + foreground[x + 2], without what lies outside.
  void (*sum)(size_t width, const uint8_t* foreground, uint8_t* sums);
  // mask[x] = zone[x] where the sums of five rows add up to at least kMajority. Returns the number of pixels set.
  int (*clean)(size_t width, const uint8_t* const sums[5], const uint8_t* zone, uint8_t* mask);
};

// Of twenty-five: removes specks, fills pin-holes.
inline constexpr uint8_t kMajority = 10;

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
