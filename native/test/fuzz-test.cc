// The fuzz target builds, and some bytes of every length run through it: it aborts where the kernels disagree.
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count);

namespace {

TEST("random bytes go through the fuzz target") {
  std::mt19937 random(29);
  for (size_t length = 0; length < 600; length = length * 3 / 2 + 1) {
    for (int round = 0; round < 3; ++round) {
      std::vector<uint8_t> bytes(length);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() % 8 : random());
      CHECK(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()) == 0);
    }
  }
}

}  // namespace
