#!/usr/bin/env bash
# Builds libgatun_cpu: build.sh BUILD_DIR RESOURCE_DIR
set -euo pipefail
source_dir=$(cd "$(dirname "$0")" && pwd)
build=$1 resources=$2
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null || {
  echo "build.sh: no C++ compiler '$cxx': install one (Debian: apt-get install g++), or name it in CXX" >&2
  exit 1
}

target=$("$cxx" -dumpmachine)
case $target in
  x86_64*linux*) platform=linux-x86_64 levels="portable avx2 avx512" ;;
  aarch64*linux*) platform=linux-aarch64 levels=portable ;;
  *) echo "build.sh: no native kernels for $target yet; the reference backend serves there" >&2; exit 0 ;;
esac
flags_portable=
flags_avx2="-mavx2 -mfma -mf16c"
flags_avx512="$flags_avx2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512"
common="-std=c++17 -O3 -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti -fno-math-errno -ffp-contract=off
  -Wall -Wextra -Werror -I$source_dir/include"

mkdir -p "$build" "$resources/$platform"
headers=$(cat "$source_dir"/include/* "$source_dir"/src/*.h "$0" | sha256sum)

# An object is made again when its source, a header, or the command changed.
compile() { # source object flags
  local key
  key=$(printf '%s' "$headers $cxx $("$cxx" -dumpfullversion) $common $3" | cat - "$1" | sha256sum)
  if [ ! -f "$2" ] || [ "$(cat "$2.key" 2>/dev/null)" != "$key" ]; then
    # shellcheck disable=SC2086
    "$cxx" $common $3 -c "$1" -o "$2" && echo "$key" >"$2.key"
  fi
}

objects=() pids=()
start() {
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || exit 1; done
  compile "$@" &
  pids+=($!)
  objects+=("$2")
}
for file in dispatch thread_pool; do
  start "$source_dir/src/$file.cpp" "$build/$file.o" ""
done
for level in $levels; do
  flags=flags_$level
  for file in "$source_dir"/src/kernels/*.cpp; do
    start "$file" "$build/$(basename "$file" .cpp).$level.o" "${!flags} -DGATUN_LEVEL=$level -DGATUN_LEVEL_$level"
  done
done
for pid in "${pids[@]}"; do wait "$pid"; done

library=$resources/$platform/libgatun_cpu.so
"$cxx" -shared -o "$build/libgatun_cpu.so" "${objects[@]}" -nodefaultlibs -lm -lc -lgcc \
  -Wl,--no-undefined -Wl,-z,relro -Wl,-z,now

# The library must load on the servers that people have.
newer=$(objdump -T "$build/libgatun_cpu.so" | grep -oE '(GLIBC|GLIBCXX)_[0-9.]+.*' | awk '
  { split($1, a, "_"); split(a[2], v, "."); n = v[1] * 10000 + v[2] * 100 + v[3]
    if ((a[1] == "GLIBC" && n > 22800) || (a[1] == "GLIBCXX" && n > 30425)) print }')
[ -z "$newer" ] || { echo "build.sh: symbols newer than GLIBC_2.28 / GLIBCXX_3.4.25: $newer" >&2; exit 1; }
foreign=$(objdump -T "$build/libgatun_cpu.so" | awk '$0 !~ /\*UND\*/ && $2 ~ /g/ && $NF !~ /^gatun_/ { print $NF }')
[ -z "$foreign" ] || { echo "build.sh: exports that are not of the interface: $foreign" >&2; exit 1; }

cmp -s "$build/libgatun_cpu.so" "$library" || cp "$build/libgatun_cpu.so" "$library"
sha256sum "$library" | cut -d' ' -f1 >"$library.sha256"
