#!/usr/bin/env bash
# Compiles the CUDA kernels: build.sh BUILD_DIR RESOURCE_DIR [TARGETS]
# RESOURCE_DIR gets kernels.list, as list.sh prints it, and a fat binary for each source: for sm_80, sm_90a and PTX of
# compute_80 for later devices, or where its name ends in _sm90a.cu for sm_90a alone; with `all` also for
# the architectures between and after, with a number such as 90a for that one, with `none` no binary. BUILD_DIR/registers.txt
# reports what each kernel of the default targets uses. REGISTERS=write keeps it as registers.txt, below which a build
# must not fall: check_registers.awk says in what.
set -euo pipefail
mkdir -p "$1" "$2"
build=$(cd "$1" && pwd) resources=$(cd "$2" && pwd) which=${3:-default}
cd "$(dirname "$0")"
source ../kernels/native/make.sh
./list.sh . >"$build/kernels.list"
cmp -s "$build/kernels.list" "$resources/kernels.list" || cp "$build/kernels.list" "$resources/kernels.list"
nvcc=${NVCC:-nvcc}
if [ "$which" = none ]; then
  rm -f "$resources"/*.fatbin
  if command -v "$nvcc" >/dev/null; then
    echo "cuda-src/build.sh: this build has no CUDA kernels; -Dgatun.cuda.targets=default compiles them, which takes minutes"
  fi
  exit 0
fi
if ! command -v "$nvcc" >/dev/null; then
  echo "cuda-src/build.sh: there is no '$nvcc': this build goes on without CUDA kernels (install CUDA 13.0's compiler, or name it in NVCC)" >&2
  exit 0
fi
case $which in
  default) targets="80 90a" ;;
  all) targets="80 86 89 90a 100 120" ;;
  *) targets=$which ;;
esac
run_make BUILD="$build" RESOURCES="$resources" NVCC="$nvcc" TARGETS="$targets"

# Images of sources that are gone.
for image in "$resources"/*.fatbin; do
  name=$(basename "$image" .fatbin)
  awk '{ sub(/\.cu$/, "", $1); gsub("/", "_", $1); print $1 }' "$build/kernels.list" | grep -qx "$name" || rm "$image"
done
bytes=$(cat "$resources"/*.fatbin | wc -c)
echo "CUDA kernels for $(echo "$targets" | sed 's/ /, /g; s/\([0-9]\)/sm_\1/1; s/, /, sm_/g') and PTX: $(ls "$resources"/*.fatbin | wc -l) images, $((bytes / 1024)) KB"
[ "$bytes" -lt 60000000 ] || { echo "cuda-src/build.sh: the images have $bytes bytes, expected below 60 MB" >&2; exit 1; }
if [ "$which" = default ] || [ "$which" = all ]; then
  ./report_registers.sh "$build" "$nvcc"
fi
