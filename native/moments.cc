// Multiplies and adds pairs of 16-bit numbers; no sum comes near 32 bits.
#include "moments.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace latchkey {

#if defined(__x86_64__)

namespace {

int32_t SumOf(__m128i four) {
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

}  // namespace

Moments MomentsOf(const uint8_t* luma, const uint16_t* background, size_t stride) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i one = _mm_set1_epi16(1);
  __m128i sum_a = zero, sum_b = zero, aa = zero, bb = zero, ab = zero;
  for (int y = 0; y < kBlockPx; ++y, luma += stride, background += stride) {
    const __m128i a = _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(luma)), zero);
    const __m128i b = _mm_srli_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(background)), 8);
    sum_a = _mm_add_epi16(sum_a, a);
    sum_b = _mm_add_epi16(sum_b, b);
    aa = _mm_add_epi32(aa, _mm_madd_epi16(a, a));
    bb = _mm_add_epi32(bb, _mm_madd_epi16(b, b));
    ab = _mm_add_epi32(ab, _mm_madd_epi16(a, b));
  }
  return {SumOf(_mm_madd_epi16(sum_a, one)), SumOf(_mm_madd_epi16(sum_b, one)), SumOf(aa), SumOf(bb), SumOf(ab)};
}

#elif defined(__aarch64__)

Moments MomentsOf(const uint8_t* luma, const uint16_t* background, size_t stride) {
  uint16x8_t sum_a = vdupq_n_u16(0), sum_b = sum_a;
  uint32x4_t aa = vdupq_n_u32(0), bb = aa, ab = aa;
  for (int y = 0; y < kBlockPx; ++y, luma += stride, background += stride) {
    const uint8x8_t a = vld1_u8(luma);
    const uint8x8_t b = vshrn_n_u16(vld1q_u16(background), 8);
    sum_a = vaddw_u8(sum_a, a);
    sum_b = vaddw_u8(sum_b, b);
    aa = vpadalq_u16(aa, vmull_u8(a, a));
    bb = vpadalq_u16(bb, vmull_u8(b, b));
    ab = vpadalq_u16(ab, vmull_u8(a, b));
  }
  const auto sum = [](uint32x4_t four) { return static_cast<int32_t>(vaddvq_u32(four)); };
  return {static_cast<int32_t>(vaddlvq_u16(sum_a)), static_cast<int32_t>(vaddlvq_u16(sum_b)), sum(aa), sum(bb), sum(ab)};
}

#else

Moments MomentsOf(const uint8_t* luma, const uint16_t* background, size_t stride) {
  Moments m;
  for (int y = 0; y < kBlockPx; ++y, luma += stride, background += stride) {
    for (int x = 0; x < kBlockPx; ++x) {
      const int32_t a = luma[x];
      const int32_t b = background[x] >> 8;
      m.a += a;
      m.b += b;
      m.aa += a * a;
      m.bb += b * b;
      m.ab += a * b;
    }
  }
  return m;
}

#endif

}  // namespace latchkey
