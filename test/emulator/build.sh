#!/usr/bin/env bash
# Builds the emulated CUDA driver with all kernels of cuda-src and of probes: build.sh BUILD_DIR [KERNELS_DIR...]
# BUILD_DIR gets libgatun_emulated_cuda.so and images/SOURCE.fatbin, images that name a source's
# kernels. A folder of kernels has a kernels.list and the sources that it names.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
[ $# -gt 0 ] || set -- "$here/../../cuda-src" "$here/probes"
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null || { echo "build.sh: no C++ compiler '$cxx': install one (Debian: apt-get install g++), or name it in CXX" >&2; exit 1; }
common="-std=c++17 -O2 -g1 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-psabi -ffp-contract=off -fno-math-errno"
# Every load and store of a kernel calls a hook of access.cpp.
checked="-fsanitize=thread --param tsan-instrument-func-entry-exit=0 --param tsan-distinguish-volatile=0"
mkdir -p "$build/images"
for dir in "$@"; do cat "$dir/kernels.list"; done >"$build/images/kernels.list"
headers=$(cat "$here"/*.h "$here/../../cuda-src/include"/primitives*.h "$0" $(for d in "$@"; do find "$d" -name '*.h' -o -name '*.cuh' | sort; done) | sha256sum)

compile() { # source object flags
  local key
  key=$(printf '%s' "$headers $cxx $("$cxx" -dumpfullversion) $common $3" | cat - "$1" ${4:+"$4"} | sha256sum)
  if [ ! -f "$2" ] || [ "$(cat "$2.key" 2>/dev/null)" != "$key" ]; then
    # shellcheck disable=SC2086
    "$cxx" $common $3 -c "$1" -o "$2" && echo "$key" >"$2.key"
  fi
}

# A source with the registration of its kernels: the list's arguments and threads, and the threads of
# __launch_bounds__ as the source writes them.
wrap() { # folder source
  echo "#include \"$1/$2\""
  echo '#include "registry.h"'
  # shellcheck disable=SC2086
  "$cxx" -std=c++17 -E -P $include -DGATUN_KEEP_LAUNCH_BOUNDS -x c++ "$1/$2" | tr '\n' ' ' |
    { grep -oE '__launch_bounds__\([^()]*\) *[A-Za-z_0-9]+' || true; } |
    sed -E 's/__launch_bounds__\(([^()]*)\) *(.*)/\2 \1/' |
    awk -v s="$2" '
      FILENAME == "-" { bound[$1] = substr($0, length($1) + 2); next }
      $1 == s { printf "static auto r_%s = gatun::emulator::registration(\"%s\", \"%s\", %s, gatun::emulator::first(%s), %s);\n", $2, $2, $4, $3, $2 in bound ? bound[$2] : 1024, $2 }' - "$1/kernels.list"
}

objects=() pids=()
start() {
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || exit 1; done
  compile "$@" &
  pids+=($!)
  objects+=("$2")
}
for file in "$here"/*.cpp; do
  start "$file" "$build/$(basename "$file" .cpp).o" "-I$here -I$here/../../cuda-src/include"
done
for dir in "$@"; do
  dir=$(cd "$dir" && pwd)
  include="-I$here -I$dir/include -I$dir -I$here/../../cuda-src/include"
  for source in $(awk '!/^#/ && NF { print $1 }' "$dir/kernels.list" | sort -u); do
    file=$build/$(echo "$source" | tr / _).cpp
    wrap_key=$(printf '%s' "$headers" | cat - "$dir/$source" "$dir/kernels.list" | sha256sum)
    if [ "$(cat "$file.key" 2>/dev/null)" != "$wrap_key" ]; then
      wrap "$dir" "$source" >"$file" && echo "$wrap_key" >"$file.key"
    fi
    start "$file" "${file%.cpp}.o" "$checked $include -Wno-unused-variable" "$dir/$source"
  done
  for source in $(awk '!/^#/ && NF { print $1 }' "$dir/kernels.list" | sort -u); do
    { echo "gatun emulated module$(case $source in *_sm90a.cu) echo " sm_90a" ;; esac)"; awk -v s="$source" '$1 == s { print $2 }' "$dir/kernels.list"; } >"$build/images/$(echo "${source%.cu}" | tr / _).fatbin"
  done
done
for pid in "${pids[@]}"; do wait "$pid"; done
"$cxx" -shared -o "$build/libgatun_emulated_cuda.so" "${objects[@]}" -pthread -ldl -Wl,--no-undefined
# Loading it compares the list's arguments with the compiler's.
LD_PRELOAD="$build/libgatun_emulated_cuda.so" /bin/true
if [ "$(basename "$1")" = planted ]; then
  # A program of its own: what it runs is wrong.
  "$cxx" $common -I"$here" -I"$here/../../cuda-src/include" -o "$build/planted_test" "$1"/*.cpp "${objects[@]}" -pthread -ldl -rdynamic
fi
