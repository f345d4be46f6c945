#!/usr/bin/env bash
# Fuzzes the motion core under the sanitisers: native/fuzz.sh [SECONDS] runs for 120 seconds or as many as given,
# native/fuzz.sh FILE... replays inputs. With clang's libFuzzer (Debian: clang and libclang-rt-14-dev) the inputs
# follow the code's branches and a corpus grows in native/build/fuzz/corpus; without it g++ builds a plain program that
# makes random inputs. A failing input stays in native/build/fuzz.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$here/build/fuzz
mkdir -p "$out/corpus"
paths=()
seconds=120
if [ $# -gt 0 ] && [ -e "$1" ]; then
  for path in "$@"; do paths+=("$(realpath "$path")"); done
else
  seconds=${1:-120}
fi
core=("$here"/{components,ghost,light,moments,motion,pixel-avx2,pixel-neon,pixel-scalar,pixel-sse2,pixel-step,shade,tracks,zones}.cc)
sources=("$here/fuzz.cc" "${core[@]}")
flags=(-std=c++20 -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -fno-sanitize-recover=all)

cd "$out"
if clang++ "${flags[@]}" -fsanitize=fuzzer,address,undefined "${sources[@]}" -o libfuzzer 2>clang.log; then
  if [ "${#paths[@]}" -gt 0 ]; then exec ./libfuzzer "${paths[@]}"; fi
  exec ./libfuzzer -max_total_time="$seconds" -max_len=2048 -len_control=0 -print_final_stats=1 corpus
fi
echo "native/fuzz.sh: no libFuzzer here (native/build/fuzz/clang.log): random inputs instead" >&2
"${CXX:-g++}" "${flags[@]}" -fsanitize=address,undefined "${sources[@]}" "$here/test/fuzz-replay.cc" -o replay
if [ "${#paths[@]}" -gt 0 ]; then exec ./replay "${paths[@]}"; fi
exec ./replay --seconds "$seconds" "$RANDOM"
