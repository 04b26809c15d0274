#!/usr/bin/env bash
# Writes a source of kernels with their registration: the arguments and threads of its lines of kernels.list, and the threads
# of __launch_bounds__ as the source writes them: register.sh FOLDER SOURCE LIST COMPILER...
# A kernel that no line names is an error, and so is a line with another tile or shared memory than GATUN_TILE and GATUN_SHARED.
set -euo pipefail
echo "#include \"$1/$2\""
echo '#include "registry.h"'
"${@:4}" -E -P -DGATUN_KEEP_KERNELS -x c++ "$1/$2" | tr '\n' ' ' |
  { grep -oE 'shared_of_[A-Za-z_0-9]+|__global__ void (__launch_bounds__\([^()]*\) *)?[A-Za-z_0-9]+' || true; } |
  sed -E 's/__global__ void (__launch_bounds__\(([^()]*)\))? *([A-Za-z_0-9]+)/\3 \2/' |
  awk -v source="$1/$2" '
    FILENAME == "-" && /^shared_of_/ { shared[substr($1, 11)] = 1; next }
    FILENAME == "-" { kernels[$1] = 1; if (NF > 1) bound[$1] = substr($0, length($1) + 2); next }
    NF > 5 {
      split($6, tile, "x")
      for (i = 1; i <= 3; i++) said = said "static_assert(tile_of_" $2 "[" i - 1 "] == " tile[i] ", \"kernels.list: the tile of " $2 " is another than " $6 "\");\n"
    }
    $2 in shared || NF > 5 { said = said "static_assert(shared_of_" $2 " == " $5 ", \"kernels.list: the shared memory of " $2 " is not " $5 " bytes\");\n" }
    { printf "static auto r_%s = gatun::emulator::registration(\"%s\", \"%s\", %s, gatun::emulator::first(%s), %s);\n", $2, $2, $4, $3, $2 in bound ? bound[$2] : 1024, $2; delete kernels[$2] }
    END {
      for (kernel in kernels) {
        print source ": the kernel " kernel " has no line \"// kernels.list: " kernel " THREADS ARGUMENTS\" (cuda-src/list.sh says what they are)" >"/dev/stderr"
        bad = 1
      }
      printf "%s", said
      exit bad
    }' - "$3"
