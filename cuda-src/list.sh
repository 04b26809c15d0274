#!/usr/bin/env bash
# Prints kernels.list, which the Java side, the emulator and the tests read: list.sh FOLDER [SOURCE]
# A line for each kernel of a folder's sources, or of one of them, by what stands above the kernel there:
#
#   // kernels.list: NAME THREADS ARGUMENTS [SHARED [TILE]]
#
# THREADS of a block; ARGUMENTS: p pointer, l 64-bit integer, i 32-bit integer, f float, {NAME} a structure, whose fields
# `./gatun dev declarations` tells Java; SHARED: bytes of dynamic shared memory where every launch has the same; TILE, of
# products: that of a block, M x N x K: rows of y, its features, and the input features of a stage. GATUN_TILE, or
# GATUN_SHARED where there is no tile, names what these come from: the emulator's build compares all of it with what the
# compiler sees. The line printed begins with the source. What is in a source whose name ends in _sm90a.cu runs on compute
# capability 9.0 alone.
set -euo pipefail
cd "$1"
if [ $# -gt 1 ]; then sources=("$2"); else shopt -s nullglob && sources=(*.cu */*.cu); fi
awk -v folder="$1" '
  function wrong(text) {
    print "list.sh: " folder "/" FILENAME ": " text >"/dev/stderr"
    bad = 1
  }
  /^\/\/ kernels\.list:/ {
    sub(/^\/\/ kernels\.list: */, "")
    if ($0 !~ /^[a-z][a-z0-9_]* [0-9]+ ([plif]|\{[A-Z][A-Za-z0-9]*\})+( [0-9]+( [0-9]+x[0-9]+x[0-9]+)?)?$/) {
      wrong("\"" $0 "\": expected NAME THREADS ARGUMENTS [SHARED [TILE]]")
    } else if ($1 in seen) {
      wrong("there is a kernel " $1 " in " seen[$1])
    }
    seen[$1] = FILENAME
    print FILENAME, $0
  }
  END { exit bad }' "${sources[@]}"
