// Runs every registered case and prints "N passed, N failed".
#include "check.h"

int main() {
  int passed = 0;
  int failed = 0;
  for (const check::Case& one : check::Cases()) {
    check::Failures() = 0;
    one.run();
    if (check::Failures() == 0) {
      ++passed;
    } else {
      ++failed;
      std::printf("FAILED %s\n", one.name.c_str());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
