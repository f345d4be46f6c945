// AVX2. Only this file is compiled for it, and only the choice in pixel-step.cc leads here.
#if defined(__x86_64__)
#include <immintrin.h>

#include "pixel-step.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#include "pixel-lanes.h"

namespace latchkey {

namespace {

struct Avx2 {
  using Bytes = __m256i;
  using Words = __m256i;
  using Shift = __m128i;
  using Total = __m256i;
  static constexpr size_t kBytes = 32;

  static Bytes LoadBytes(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Words LoadWords(const uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void StoreBytes(uint8_t* p, Bytes a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a); }
  static void StoreWords(uint16_t* p, Words a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a); }
  static Bytes AllBytes(uint8_t v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static Words AllWords(uint16_t v) { return _mm256_set1_epi16(static_cast<short>(v)); }
  static Shift ShiftBy(int bits) { return _mm_cvtsi32_si128(bits); }

  static Bytes ApartBytes(Bytes a, Bytes b) {
    return _mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a));
  }
  static Bytes AddBytes(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
  static Bytes SubtractBytesCapped(Bytes a, Bytes b) { return _mm256_subs_epu8(a, b); }
  static Bytes AddBytesCapped(Bytes a, Bytes b) { return _mm256_adds_epu8(a, b); }
  static Bytes Average(Bytes a, Bytes b) { return _mm256_avg_epu8(a, b); }
  static Bytes AtLeast(Bytes a, Bytes b) { return _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a); }
  static Bytes AndBytes(Bytes a, Bytes b) { return _mm256_and_si256(a, b); }
  static Bytes OrBytes(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  static Bytes Not(Bytes a) { return _mm256_xor_si256(a, _mm256_set1_epi8(-1)); }
  static Bytes ChooseBytes(Bytes mask, Bytes yes, Bytes no) { return _mm256_blendv_epi8(no, yes, mask); }
  static Bytes AndNot(Bytes mask, Bytes a) { return _mm256_andnot_si256(mask, a); }
  static bool Any(Bytes mask) { return _mm256_movemask_epi8(mask) != 0; }

  static Words Apart(Words a, Words b) { return _mm256_or_si256(_mm256_subs_epu16(a, b), _mm256_subs_epu16(b, a)); }
  static Words Add(Words a, Words b) { return _mm256_add_epi16(a, b); }
  static Words AddCapped(Words a, Words b) { return _mm256_adds_epu16(a, b); }
  static Words Subtract(Words a, Words b) { return _mm256_sub_epi16(a, b); }
  static Words And(Words a, Words b) { return _mm256_and_si256(a, b); }
  static Words HighProduct(Words a, Words b) { return _mm256_mulhi_epu16(a, b); }
  static Words Right(Words a, Shift by) { return _mm256_srl_epi16(a, by); }
  static Words AtMost(Words a, Words b) { return _mm256_cmpeq_epi16(_mm256_min_epu16(a, b), a); }
  static Words Choose(Words mask, Words yes, Words no) { return _mm256_blendv_epi8(no, yes, mask); }

  // These work on each half of a register by itself, so the quarters are put in order before or after.
  static void Widen(Bytes a, Words* low, Words* high) {
    const __m256i spread = _mm256_permute4x64_epi64(a, 0xd8);
    *low = _mm256_unpacklo_epi8(_mm256_setzero_si256(), spread);
    *high = _mm256_unpackhi_epi8(_mm256_setzero_si256(), spread);
  }
  static void WidenMask(Bytes a, Words* low, Words* high) {
    const __m256i spread = _mm256_permute4x64_epi64(a, 0xd8);
    *low = _mm256_unpacklo_epi8(spread, spread);
    *high = _mm256_unpackhi_epi8(spread, spread);
  }
  static Bytes NarrowMask(Words low, Words high) {
    return _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
  }

  // The high bytes.
  static Bytes NarrowHigh(Words low, Words high) {
    const __m256i packed = _mm256_packus_epi16(_mm256_srli_epi16(low, 8), _mm256_srli_epi16(high, 8));
    return _mm256_permute4x64_epi64(packed, 0xd8);
  }

  static Total Zero() { return _mm256_setzero_si256(); }
  static Total Count(Total total, Bytes ones) {
    return _mm256_add_epi64(total, _mm256_sad_epu8(ones, _mm256_setzero_si256()));
  }
  static int Sum(Total total) {
    const __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
    return _mm_cvtsi128_si32(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves)));
  }
};

}  // namespace

// Ready without running any code: a processor without AVX2 loads this file too.
constinit const PixelKernel kAvx2Kernel = KernelOf<Avx2>("avx2");

}  // namespace latchkey

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
