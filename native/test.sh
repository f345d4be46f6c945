#!/usr/bin/env bash
# Builds the core and its tests under the address and undefined-behaviour sanitisers, runs them, and ends with
# "N passed, N failed". CXX chooses the compiler; g++ by default, because Debian's clang lacks the sanitisers' runtime.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CXX=${CXX:-g++}
out=$here/build/test
mkdir -p "$out"
flags=(-std=c++20 -O1 -g -fno-omit-frame-pointer -fno-exceptions -fno-rtti -Wall -Wextra -Werror -pthread
  -fsanitize=address,undefined -fno-sanitize-recover=all)

objects=()
jobs=()
for source in components fuzz ghost image light moments motion pixel-{avx2,neon,scalar,sse2,step} sandbox shade tracks zones \
  test/{main,sha256,{components,fuzz,image,motion,pixel,sandbox,scenes,sha256,shade,tracks}-test}; do
  object=$out/$(basename "$source").o
  objects+=("$object")
  "$CXX" "${flags[@]}" -c "$here/$source.cc" -o "$object" &
  jobs+=($!)
  # Two compilers at a time: this also runs on small machines.
  if [ "${#jobs[@]}" -ge 2 ]; then
    wait "${jobs[0]}"
    jobs=("${jobs[@]:1}")
  fi
done
for job in "${jobs[@]}"; do wait "$job"; done
"$CXX" "${flags[@]}" "${objects[@]}" -o "$out/native-test"
"$out/native-test"
