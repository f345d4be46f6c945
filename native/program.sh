#!/usr/bin/env bash
# Builds one of the core's small programs as the addon is built, without Node: native/program.sh mask-hash OUT.
# The programs are test/mask-hash.cc, test/motion-masks.cc and test/motion-speed.cc. CXX chooses the compiler (aarch64-linux-gnu-g++
# cross-compiles).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${1:?which program}
out=${2:?where to put it}
core=("$here"/{components,ghost,light,moments,motion,pixel-avx2,pixel-neon,pixel-scalar,pixel-sse2,pixel-step,shade,tracks,zones}.cc)
"${CXX:-g++}" -std=c++20 -O3 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -static \
  "$here/test/$name.cc" "$here/test/sha256.cc" "${core[@]}" -o "$out"
