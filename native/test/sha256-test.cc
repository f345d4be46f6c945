// SHA-256 against the examples of its standard, whole and in pieces.
#include "sha256.h"

#include <algorithm>

#include "check.h"

namespace {

std::string HashOf(const std::string& text, size_t piece) {
  sha256::Digest digest;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t at = 0; at < text.size(); at += piece) digest.Add({bytes + at, std::min(piece, text.size() - at)});
  return digest.Hex();
}

TEST("SHA-256 is the standard's") {
  CHECK(HashOf("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(HashOf("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (const size_t piece : {1, 63, 64, 65, 1000}) {
    CHECK(HashOf(std::string(1'000'000, 'a'), piece) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

}  // namespace
