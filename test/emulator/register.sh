#!/usr/bin/env bash
# Writes a source of kernels with their registration: the list's arguments and threads, and the threads of
# __launch_bounds__ as the source writes them: register.sh FOLDER SOURCE COMPILER...
set -euo pipefail
echo "#include \"$1/$2\""
echo '#include "registry.h"'
"${@:3}" -E -P -DGATUN_KEEP_LAUNCH_BOUNDS -x c++ "$1/$2" | tr '\n' ' ' |
  { grep -oE '__launch_bounds__\([^()]*\) *[A-Za-z_0-9]+' || true; } |
  sed -E 's/__launch_bounds__\(([^()]*)\) *(.*)/\2 \1/' |
  awk -v s="$2" '
    FILENAME == "-" { bound[$1] = substr($0, length($1) + 2); next }
    $1 == s { printf "static auto r_%s = gatun::emulator::registration(\"%s\", \"%s\", %s, gatun::emulator::first(%s), %s);\n", $2, $2, $4, $3, $2 in bound ? bound[$2] : 1024, $2 }' - "$1/kernels.list"
