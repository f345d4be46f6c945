// SHA-256 (FIPS 180-4) of bytes that arrive in pieces, so that the test programs need no library.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace sha256 {

class Digest {
 public:
  void Add(std::span<const uint8_t> bytes);
  std::string Hex();  // ends the digest

 private:
  void Block();

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_ = {};
  size_t filled_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace sha256
