#!/usr/bin/env bash
# Which branches of the processor's kernels the fast tests take, on each level that this machine has: test/coverage/run.sh
# Needs gcov and python3, and what `mvn -DskipTests verify` makes. Writes docs/coverage.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
build=$PWD/target/coverage
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
[ -f target/class-path.txt ] || { echo "test/coverage/run.sh: the tests are not built: run mvn -DskipTests verify" >&2; exit 1; }

compile() { # FOLDER [VARIABLE=VALUE...]
  bash ../kernels/cpu/src/main/cpp/build.sh "$build/$1" "$build/$1/resources" COVERAGE=yes AARCH64_CXX= "${@:2}"
  find "$build/$1" -name '*.gcda' -delete
}
compile usual
compile small CUTS=small
${CXX:-g++} -std=c++17 -O1 -shared -fPIC -o "$build/libstarved.so" src/test/cpp/starved.cpp -ldl

run() { # FOLDER MAIN ARGUMENT...
  local folder=$build/$1/linux-$(uname -m)
  "$java" -Xmx3g --enable-native-access=ALL-UNNAMED -Dgatun.test.backend=cpu -Dgatun.test.seed=1 \
    -Dgatun.cpu.library="$folder/libgatun_cpu.so" -cp "target/test-classes:$(cat target/class-path.txt)" "${@:2}"
}
tests=dev.gatun.test
suites=$tests.contract.suites
run usual $tests.coverage.CoverageRun $suites.{KernelContract,NativeArguments,NativeChecks,NativeCombinations,ReducedLevels,BadArguments,ReplayedCases,CastEveryHalf,LargeResults,ManyThreads,TokenCodes,Companions,RandomCalls,Capabilities}Test \
  $tests.quantized.{GgmlBlocks,NativeBlocks,PackedLayout,WidenedFormat}Test $tests.devices.CpuReplayTest $tests.cache.KvCacheTest
LD_PRELOAD=$build/libstarved.so run usual $tests.contract.programs.StarvedRuns 4 "$build/libstarved.so"
run small $tests.coverage.CoverageRun $suites.KernelContractTest
LD_PRELOAD=$build/libstarved.so run small $tests.contract.programs.StarvedRuns 4 "$build/libstarved.so"
python3 coverage/report.py ../docs/coverage.md coverage/reasons.txt "$build"/{usual,small}/linux-*
