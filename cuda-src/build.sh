#!/usr/bin/env bash
# Compiles the CUDA kernels: build.sh BUILD_DIR RESOURCE_DIR [TARGETS]
# RESOURCE_DIR gets kernels.list and a fat binary for each source: for sm_80, sm_90a and PTX of
# compute_80 for later devices, or where its name ends in _sm90a.cu for sm_90a alone; with `all` also for
# the architectures between and after, with a number such as 90a for that one. BUILD_DIR/registers.txt
# reports what each kernel of the default targets uses. REGISTERS=write keeps it as registers.txt, below which a build
# must not fall: check_registers.awk says in what.
set -euo pipefail
cd "$(dirname "$0")"
build=$1 resources=$2 which=${3:-default}
mkdir -p "$build" "$resources"
cmp -s kernels.list "$resources/kernels.list" || cp kernels.list "$resources/kernels.list"
nvcc=${NVCC:-nvcc}
if ! command -v "$nvcc" >/dev/null; then
  echo "cuda-src/build.sh: there is no '$nvcc': this build goes on without CUDA kernels (install CUDA 13.0's compiler, or name it in NVCC)" >&2
  exit 0
fi
case $which in
  default) targets="80 90a" ;;
  all) targets="80 86 89 90a 100 120" ;;
  *) targets=$which ;;
esac
flags="-std=c++17 -O3 -I include -I . -Xptxas -v -Werror all-warnings"
everywhere="-gencode arch=compute_80,code=compute_80"
for target in $targets; do
  everywhere="-gencode arch=compute_$target,code=sm_$target $everywhere"
done
# What is made for one architecture alone runs on no other.
targets_of() { # source
  case $1 in
    *_sm90a.cu) echo "-gencode arch=compute_90a,code=sm_90a" ;;
    *) echo "$everywhere" ;;
  esac
}

# Each kernel, its architecture and its instructions, of 16 bytes, by the sizes of a cubin's sections. The last number of
# a cubin's name is its architecture where a source has several.
instructions() { # folder of cubins, source
  local cubin name target
  for cubin in "$1"/*.cubin; do
    name=$(basename "$cubin" .cubin)
    case $2 in *_sm90a.cu) target=sm_90a ;; *) target=sm_${name##*_} ;; esac
    readelf -SW "$cubin" 2>/dev/null | sed -n 's/^ *\[ *[0-9]*\] *\.text\.\([^ ]*\) *PROGBITS *[^ ]* *[^ ]* *\([^ ]*\) .*/\1 \2/p' | while read -r kernel size; do
      echo "$kernel $target $((16#$size / 16))"
    done
  done
}

headers=$(find . -name '*.h' | sort | xargs cat build.sh | sha256sum)
compile() { # source
  local key name flags="$flags $(targets_of "$1")"
  name=$(echo "${1%.cu}" | tr / _)
  key=$(printf '%s' "$headers $flags $("$nvcc" --version | tail -n 1)" | cat - "$1" | sha256sum)
  if [ ! -f "$build/$name.fatbin" ] || [ "$(cat "$build/$name.key" 2>/dev/null)" != "$key" ]; then
    rm -rf "$build/$name.kept" && mkdir "$build/$name.kept"
    # shellcheck disable=SC2086
    "$nvcc" $flags -fatbin --keep --keep-dir "$build/$name.kept" -o "$build/$name.fatbin" "$1" >"$build/$name.log" 2>&1 || {
      cat "$build/$name.log" >&2
      return 1
    }
    instructions "$build/$name.kept" "$1" >"$build/$name.instructions"
    rm -r "$build/$name.kept"
    # ptxas only mentions that a warpgroup's products wait for each other.
    if grep -E "wgmma.* serialized|warpgroup.arrive is injected" "$build/$name.log" >&2; then
      return 1
    fi
    echo "$key" >"$build/$name.key"
  fi
  cmp -s "$build/$name.fatbin" "$resources/$name.fatbin" || cp "$build/$name.fatbin" "$resources/$name.fatbin"
}

pids=()
for source in $(awk '!/^#/ && NF { print $1 }' kernels.list | sort -u); do
  case "$source $targets" in
    *_sm90a.cu\ *90a*) ;;
    *_sm90a.cu\ *) continue ;;
  esac
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || exit 1; done
  compile "$source" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
# Images of sources that an earlier list named.
for image in "$resources"/*.fatbin; do
  name=$(basename "$image" .fatbin)
  awk '!/^#/ && NF { sub(/\.cu$/, "", $1); gsub("/", "_", $1); print $1 }' kernels.list | grep -qx "$name" || rm "$image"
done
bytes=$(cat "$resources"/*.fatbin | wc -c)
echo "CUDA kernels for $(echo "$targets" | sed 's/ /, /g; s/\([0-9]\)/sm_\1/1; s/, /, sm_/g') and PTX: $(ls "$resources"/*.fatbin | wc -l) images, $((bytes / 1024)) KB"
[ "$bytes" -lt 60000000 ] || { echo "cuda-src/build.sh: the images have $bytes bytes, expected below 60 MB" >&2; exit 1; }

# Registers, bytes of the stack frame, spilled and shared, the blocks that a multiprocessor has room for, and instructions.
registers() {
  echo "# What each kernel uses, by ptxas of $version: a report of REGISTERS=write cuda-src/build.sh. stack: bytes of a thread's frame."
  echo "# shared: bytes that ptxas counts and those of kernels.list. blocks: that a multiprocessor has room for, which"
  echo "# has 65536 registers, 2048 threads and 164 KB (sm_80) or 228 KB (sm_90a) of shared memory, 1 KB lost a block."
  printf '%-28s %-7s %7s %9s %7s %7s %7s %7s %12s\n' kernel target threads registers stack spilled shared blocks instructions
  for source in $(awk '!/^#/ && NF { print $1 }' kernels.list | sort -u); do
    cat "$build/$(echo "${source%.cu}" | tr / _)".{instructions,log}
  done | awk '
    function room(total, each) { if (int(total / each) < blocks) blocks = int(total / each) }
    FILENAME == "kernels.list" { if ($0 !~ /^#/) { threads[$2] = $3; dynamic[$2] = $5 }; next }
    /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; target = part[4]; stack = spilled = 0 }
    /Function properties for/ { mine = ($NF == kernel) }
    NF == 3 && $2 ~ /^sm_/ { length_of[$1, $2] = $3; next }
    /bytes spill stores/ && mine { stack = $1; spilled = $5 + $9 }
    /Used [0-9]+ registers/ {
      shared = dynamic[kernel] + 0
      for (i = 1; i <= NF; i++) {
        if ($i == "Used") used = $(i + 1)
        if ($(i + 1) == "bytes" && $(i + 2) ~ /^smem/) shared += $i
      }
      blocks = 32
      room(65536, int((used * 32 + 255) / 256) * 256 * threads[kernel] / 32)
      room(2048, threads[kernel])
      room((target == "sm_80" ? 164 : 228) * 1024, shared + 1024)
      if (target == "sm_80" || target == "sm_90a") printf "%-28s %-7s %7d %9d %7d %7d %7d %7d %12d\n", kernel, target, threads[kernel], used, stack, spilled, shared, blocks, length_of[kernel, target]
    }' kernels.list - | sort
}
version="nvcc $("$nvcc" --version | sed -n 's/.*, V\([0-9.]*\)$/\1/p')"
if [ "$which" = default ] || [ "$which" = all ]; then
  registers >"$build/registers.txt"
  if [ "${REGISTERS:-}" = write ]; then
    cp "$build/registers.txt" registers.txt
  fi
  same=0
  if grep -q "ptxas of $version:" registers.txt; then
    same=1
  else
    echo "cuda-src/build.sh: registers.txt was made by another compiler than $version: spills and blocks are not compared"
  fi
  awk -v same=$same -f check_registers.awk registers.txt "$build/registers.txt" >&2 || {
    echo "cuda-src/build.sh: mend the kernels, or keep what they use now by REGISTERS=write cuda-src/build.sh BUILD_DIR RESOURCE_DIR" >&2
    exit 1
  }
  cmp -s registers.txt "$build/registers.txt" || echo "cuda-src/build.sh: $(diff registers.txt "$build/registers.txt" | grep -c '^>') lines of $build/registers.txt are not those of registers.txt"
fi
