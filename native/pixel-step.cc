// Chooses among the kernels once: on x86 by what the processor says, on arm64 there is nothing to choose.
#include "pixel-step.h"

namespace latchkey {

std::span<const PixelKernel* const> PixelKernels() {
#if defined(__x86_64__)
  static const PixelKernel* const kAll[] = {&kScalarKernel, &kSse2Kernel, &kAvx2Kernel};
  static const size_t count = __builtin_cpu_supports("avx2") ? 3 : 2;
  return {kAll, count};
#elif defined(__aarch64__)
  static const PixelKernel* const kAll[] = {&kScalarKernel, &kNeonKernel};
  return kAll;
#else
  static const PixelKernel* const kAll[] = {&kScalarKernel};
  return kAll;
#endif
}

}  // namespace latchkey
