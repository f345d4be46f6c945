// SSE2, which every 64-bit x86 has.
#if defined(__x86_64__)
#include <emmintrin.h>

#include "pixel-lanes.h"

namespace latchkey {

namespace {

struct Sse2 {
  using Bytes = __m128i;
  using Words = __m128i;
  using Shift = __m128i;
  using Total = __m128i;
  static constexpr size_t kBytes = 16;

  static Bytes LoadBytes(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static Words LoadWords(const uint16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static void StoreBytes(uint8_t* p, Bytes a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a); }
  static void StoreWords(uint16_t* p, Words a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), a); }
  static Bytes AllBytes(uint8_t v) { return _mm_set1_epi8(static_cast<char>(v)); }
  static Words AllWords(uint16_t v) { return _mm_set1_epi16(static_cast<short>(v)); }
  static Shift ShiftBy(int bits) { return _mm_cvtsi32_si128(bits); }

  static Bytes ApartBytes(Bytes a, Bytes b) { return _mm_or_si128(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a)); }
  static Bytes AddBytes(Bytes a, Bytes b) { return _mm_add_epi8(a, b); }
  static Bytes SubtractBytesCapped(Bytes a, Bytes b) { return _mm_subs_epu8(a, b); }
  static Bytes AddBytesCapped(Bytes a, Bytes b) { return _mm_adds_epu8(a, b); }
  static Bytes Average(Bytes a, Bytes b) { return _mm_avg_epu8(a, b); }
  static Bytes AtLeast(Bytes a, Bytes b) { return _mm_cmpeq_epi8(_mm_max_epu8(a, b), a); }
  static Bytes AndBytes(Bytes a, Bytes b) { return _mm_and_si128(a, b); }
  static Bytes OrBytes(Bytes a, Bytes b) { return _mm_or_si128(a, b); }
  static Bytes Not(Bytes a) { return _mm_xor_si128(a, _mm_set1_epi8(-1)); }
  static Bytes ChooseBytes(Bytes mask, Bytes yes, Bytes no) { return Choose(mask, yes, no); }
  static Bytes AndNot(Bytes mask, Bytes a) { return _mm_andnot_si128(mask, a); }
  static bool Any(Bytes mask) { return _mm_movemask_epi8(mask) != 0; }

  static Words Apart(Words a, Words b) { return _mm_or_si128(_mm_subs_epu16(a, b), _mm_subs_epu16(b, a)); }
  static Words Add(Words a, Words b) { return _mm_add_epi16(a, b); }
  static Words AddCapped(Words a, Words b) { return _mm_adds_epu16(a, b); }
  static Words Subtract(Words a, Words b) { return _mm_sub_epi16(a, b); }
  static Words And(Words a, Words b) { return _mm_and_si128(a, b); }
  static Words HighProduct(Words a, Words b) { return _mm_mulhi_epu16(a, b); }
  static Words Right(Words a, Shift by) { return _mm_srl_epi16(a, by); }
  static Words AtMost(Words a, Words b) { return _mm_cmpeq_epi16(_mm_subs_epu16(a, b), _mm_setzero_si128()); }
  static Words Choose(Words mask, Words yes, Words no) {
    return _mm_xor_si128(no, _mm_and_si128(mask, _mm_xor_si128(yes, no)));
  }

  static void Widen(Bytes a, Words* low, Words* high) {
    *low = _mm_unpacklo_epi8(_mm_setzero_si128(), a);
    *high = _mm_unpackhi_epi8(_mm_setzero_si128(), a);
  }
  static void WidenMask(Bytes a, Words* low, Words* high) {
    *low = _mm_unpacklo_epi8(a, a);
    *high = _mm_unpackhi_epi8(a, a);
  }
  static Bytes NarrowMask(Words low, Words high) { return _mm_packs_epi16(low, high); }

  // The high bytes.
  static Bytes NarrowHigh(Words low, Words high) {
    return _mm_packus_epi16(_mm_srli_epi16(low, 8), _mm_srli_epi16(high, 8));
  }

  static Total Zero() { return _mm_setzero_si128(); }
  static Total Count(Total total, Bytes ones) {
    return _mm_add_epi64(total, _mm_sad_epu8(ones, _mm_setzero_si128()));
  }
  static int Sum(Total total) { return _mm_cvtsi128_si32(_mm_add_epi64(total, _mm_unpackhi_epi64(total, total))); }
};

}  // namespace

constinit const PixelKernel kSse2Kernel = KernelOf<Sse2>("sse2");

}  // namespace latchkey
#endif
