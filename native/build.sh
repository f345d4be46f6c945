#!/usr/bin/env bash
# Builds native/build/Release/latchkey.node against the headers in the pinned Node's own package, so no download is
# needed. Does nothing when neither sources, Node nor architecture have changed; silent unless it fails.
# LATCHKEY_ARCH=arm64 cross-compiles (needs aarch64-linux-gnu-g++).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
case "$(uname -m)" in
  x86_64) host=x64 ;;
  aarch64) host=arm64 ;;
  *) echo "native/build.sh: $(uname -m) is not supported; x86_64 and aarch64 are" >&2; exit 1 ;;
esac
arch=${LATCHKEY_ARCH:-$host}

headers=$root/node_modules/node-linux-$arch
# The package of another architecture is not installed, but its headers are the same.
[ -f "$headers/include/node/node.h" ] || headers=$root/node_modules/node-linux-$host
if [ ! -f "$headers/include/node/node.h" ]; then
  echo "native/build.sh: node_modules/node-linux-$host has no headers: run npm ci first" >&2
  exit 1
fi
export PATH="$root/node_modules/.bin:$PATH"

# Two set-ups at once take turns, and the second finds nothing to do.
exec 9<"$here/binding.gyp"
flock 9

stamp=$here/build/latchkey.stamp
wanted=$({ echo "$arch"; cat "$headers/package.json" "$root/node_modules/node-addon-api/package.json" \
  "$here"/*.cc "$here"/*.h "$here/binding.gyp" "$here/build.sh"; } | sha256sum)
if [ -f "$here/build/Release/latchkey.node" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi

if [ "$arch" != "$host" ]; then
  export CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Debian's Python rather than whatever a version manager puts first.
[ -x /usr/bin/python3 ] && export npm_config_python=/usr/bin/python3
rm -f "$stamp"
if ! (cd "$here" && npm_config_nodedir=$headers node-gyp rebuild --arch="$arch" --jobs=2) >"$log" 2>&1; then
  cat "$log" >&2
  echo "native/build.sh: the addon could not be built (needs g++ 11 or newer, make and python3)" >&2
  exit 1
fi
echo "$wanted" >"$stamp"
