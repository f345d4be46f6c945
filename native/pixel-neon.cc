// NEON, which every 64-bit ARM has.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "pixel-lanes.h"

namespace latchkey {

namespace {

struct Neon {
  using Bytes = uint8x16_t;
  using Words = uint16x8_t;
  using Shift = int16x8_t;
  using Total = uint32x4_t;
  static constexpr size_t kBytes = 16;

  static Bytes LoadBytes(const uint8_t* p) { return vld1q_u8(p); }
  static Words LoadWords(const uint16_t* p) { return vld1q_u16(p); }
  static void StoreBytes(uint8_t* p, Bytes a) { vst1q_u8(p, a); }
  static void StoreWords(uint16_t* p, Words a) { vst1q_u16(p, a); }
  static Bytes AllBytes(uint8_t v) { return vdupq_n_u8(v); }
  static Words AllWords(uint16_t v) { return vdupq_n_u16(v); }
  // The instruction shifts to the left; a negative count goes right.
  static Shift ShiftBy(int bits) { return vdupq_n_s16(static_cast<int16_t>(-bits)); }

  static Bytes ApartBytes(Bytes a, Bytes b) { return vabdq_u8(a, b); }
  static Bytes AddBytes(Bytes a, Bytes b) { return vaddq_u8(a, b); }
  static Bytes SubtractBytesCapped(Bytes a, Bytes b) { return vqsubq_u8(a, b); }
  static Bytes AddBytesCapped(Bytes a, Bytes b) { return vqaddq_u8(a, b); }
  static Bytes Average(Bytes a, Bytes b) { return vrhaddq_u8(a, b); }
  static Bytes AtLeast(Bytes a, Bytes b) { return vcgeq_u8(a, b); }
  static Bytes AndBytes(Bytes a, Bytes b) { return vandq_u8(a, b); }
  static Bytes OrBytes(Bytes a, Bytes b) { return vorrq_u8(a, b); }
  static Bytes Not(Bytes a) { return vmvnq_u8(a); }
  static Bytes ChooseBytes(Bytes mask, Bytes yes, Bytes no) { return vbslq_u8(mask, yes, no); }
  static Bytes AndNot(Bytes mask, Bytes a) { return vbicq_u8(a, mask); }
  static bool Any(Bytes mask) { return vmaxvq_u8(mask) != 0; }

  static Words Apart(Words a, Words b) { return vabdq_u16(a, b); }
  static Words Add(Words a, Words b) { return vaddq_u16(a, b); }
  static Words AddCapped(Words a, Words b) { return vqaddq_u16(a, b); }
  static Words Subtract(Words a, Words b) { return vsubq_u16(a, b); }
  static Words And(Words a, Words b) { return vandq_u16(a, b); }
  static Words HighProduct(Words a, Words b) {
    const uint32x4_t low = vmull_u16(vget_low_u16(a), vget_low_u16(b));
    const uint32x4_t high = vmull_high_u16(a, b);
    return vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high));
  }
  static Words Right(Words a, Shift by) { return vshlq_u16(a, by); }
  static Words AtMost(Words a, Words b) { return vcleq_u16(a, b); }
  static Words Choose(Words mask, Words yes, Words no) { return vbslq_u16(mask, yes, no); }

  static void Widen(Bytes a, Words* low, Words* high) {
    *low = vreinterpretq_u16_u8(vzip1q_u8(vdupq_n_u8(0), a));
    *high = vreinterpretq_u16_u8(vzip2q_u8(vdupq_n_u8(0), a));
  }
  static void WidenMask(Bytes a, Words* low, Words* high) {
    *low = vreinterpretq_u16_u8(vzip1q_u8(a, a));
    *high = vreinterpretq_u16_u8(vzip2q_u8(a, a));
  }
  static Bytes NarrowMask(Words low, Words high) { return vcombine_u8(vmovn_u16(low), vmovn_u16(high)); }

  // The high bytes.
  static Bytes NarrowHigh(Words low, Words high) { return vcombine_u8(vshrn_n_u16(low, 8), vshrn_n_u16(high, 8)); }

  static Total Zero() { return vdupq_n_u32(0); }
  static Total Count(Total total, Bytes ones) { return vpadalq_u16(total, vpaddlq_u8(ones)); }
  static int Sum(Total total) { return static_cast<int>(vaddvq_u32(total)); }
};

}  // namespace

constinit const PixelKernel kNeonKernel = KernelOf<Neon>("neon");

}  // namespace latchkey
#endif
