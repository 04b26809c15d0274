#!/usr/bin/env bash
# Builds the library and runs its C++ tests: run.sh [BUILD_DIR] [test | bench ...]
#   run.sh                          every test
#   run.sh target/native-test cast_test
#   run.sh target/native-test matmul_bench 4096 128
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../../target/native-test}
mkdir -p "$build"
build=$(cd "$build" && pwd)
bash "$here/../../main/cpp/build.sh" "$build/objects" "$build/resources"
library=$(ls "$build"/resources/*/libgatun_cpu.so)

program() { # name
  "${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra -Werror -I"$here/../../main/cpp/include" "$here/$1.cpp" "$library" \
    -pthread -Wl,-rpath,"$(dirname "$library")" -o "$build/$1"
}

if [ $# -ge 2 ]; then
  program "$2"
  exec "$build/$2" "${@:3}"
fi
for test in "$here"/*_test.cpp; do
  name=$(basename "$test" .cpp)
  program "$name"
  "$build/$name" && echo "$name: ok"
done
