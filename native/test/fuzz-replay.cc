// Runs the fuzz target without libFuzzer: on the files named, or with `--seconds N [SEED]` on bytes of its own making,
// which it writes to ./crash-input before each try so that a failure can be replayed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count);

namespace {

constexpr size_t kMaxBytes = 2048;

int ReplayFiles(int count, char** paths) {
  for (int i = 0; i < count; ++i) {
    std::FILE* file = std::fopen(paths[i], "rb");
    if (file == nullptr) {
      std::fprintf(stderr, "fuzz-replay: cannot read %s\n", paths[i]);
      return 66;
    }
    std::vector<uint8_t> bytes(1 << 20);
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%d inputs replayed\n", count);
  return 0;
}

bool Keep(const std::vector<uint8_t>& bytes) {
  std::FILE* file = std::fopen("crash-input", "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  return std::fclose(file) == 0 && written;
}

int Generate(double seconds, uint32_t seed) {
  std::mt19937 random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  long tries = 0;
  std::vector<uint8_t> bytes;
  for (; std::chrono::steady_clock::now() < end; ++tries) {
    bytes.resize(1 + random() % kMaxBytes);
    // Small values now and then: they choose differently from large ones.
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() % 8 : random());
    if (!Keep(bytes)) {
      std::fprintf(stderr, "fuzz-replay: cannot write crash-input\n");
      return 73;
    }
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::remove("crash-input");
  std::printf("%ld inputs from seed %u, no failure\n", tries, seed);
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count >= 3 && std::strcmp(arguments[1], "--seconds") == 0) {
    return Generate(std::atof(arguments[2]),
                    argument_count > 3 ? static_cast<uint32_t>(std::strtoul(arguments[3], nullptr, 10)) : 1);
  }
  return ReplayFiles(argument_count - 1, arguments + 1);
}
