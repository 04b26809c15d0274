#!/usr/bin/env bash
# Makes a fat binary: compile.sh BASE SOURCE NVCC FLAGS...
# BASE.fatbin, BASE.log with what ptxas says, BASE.instructions with each kernel's length, BASE.headers with what it was made from.
set -euo pipefail
base=$1 source=$2
rm -rf "$base.kept" "$base.fatbin"
mkdir -p "$base.kept"
"${@:3}" -MMD -MF "$base.headers" -fatbin --keep --keep-dir "$base.kept" -o "$base.kept/fatbin" "$source" >"$base.log" 2>&1 || {
  cat "$base.log" >&2
  exit 1
}

# Each kernel, its architecture and its instructions, of 16 bytes, by the sizes of a cubin's sections. The last number of
# a cubin's name is its architecture where a source has several.
for cubin in "$base.kept"/*.cubin; do
  name=$(basename "$cubin" .cubin)
  case $source in *_sm90a.cu) target=sm_90a ;; *) target=sm_${name##*_} ;; esac
  readelf -SW "$cubin" 2>/dev/null | sed -n 's/^ *\[ *[0-9]*\] *\.text\.\([^ ]*\) *PROGBITS *[^ ]* *[^ ]* *\([^ ]*\) .*/\1 \2/p' | while read -r kernel size; do
    echo "$kernel $target $((16#$size / 16))"
  done
done >"$base.instructions"

# ptxas only mentions that a warpgroup's products wait for each other.
if grep -E "wgmma.* serialized|warpgroup.arrive is injected" "$base.log" >&2; then
  exit 1
fi
mv "$base.kept/fatbin" "$base.fatbin"
rm -r "$base.kept"
