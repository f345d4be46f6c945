// The smallest test frame that does: named cases, checks that count failures, a summary line, an exit status.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace check {

struct Case {
  std::string name;
  std::function<void()> run;
};

inline std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}

inline int& Failures() {
  static int failures = 0;
  return failures;
}

struct Register {
  Register(std::string name, std::function<void()> run) { Cases().push_back({std::move(name), std::move(run)}); }
};

inline void That(bool holds, const char* what, const char* file, int line) {
  if (holds) return;
  ++Failures();
  std::printf("    %s:%d: %s does not hold\n", file, line, what);
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                                 \
  static void CHECK_JOIN(Case, __LINE__)();                                                        \
  static const check::Register CHECK_JOIN(register_, __LINE__)(name, &CHECK_JOIN(Case, __LINE__)); \
  static void CHECK_JOIN(Case, __LINE__)()
#define CHECK(...) check::That((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
