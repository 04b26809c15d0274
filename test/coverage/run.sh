#!/usr/bin/env bash
# Which branches of the native kernels the fast tests take: the processor's on each level that this machine has, CUDA's on the
# emulator: test/coverage/run.sh [cpu|cuda|LEVEL...]
# Needs gcov and python3, and what `mvn -DskipTests verify` makes. Writes docs/coverage.md and docs/coverage-cuda.md. One level
# alone counts anew what it takes, beside what was counted of the others before, where their code is still the same.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
build=$PWD/target/coverage
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
[ -f target/class-path.txt ] || { echo "test/coverage/run.sh: the tests are not built: run mvn -DskipTests verify" >&2; exit 1; }
[ $# -gt 0 ] || set -- cpu cuda
tests=dev.gatun.test
suites=$tests.contract.suites

# An object out of a cache writes its counts to where it was made first.
export CCACHE_DISABLE=1
compile() { # FOLDER [VARIABLE=VALUE...]
  bash ../kernels/cpu/src/main/cpp/build.sh "$build/$1" "$build/$1/resources" COVERAGE=yes AARCH64_CXX= "${@:2}"
  # What an older object counted is of other code.
  find "$build/$1" -name '*.gcda' | while read -r counts; do
    [ "$counts" -nt "${counts%.gcda}.o" ] || rm "$counts"
  done
}

run() { # FOLDER MAIN ARGUMENT...
  local folder=$build/$1/linux-$(uname -m)
  "$java" -Xmx3g --enable-native-access=ALL-UNNAMED -Dgatun.test.backend=cpu -Dgatun.test.seed=1 ${level:+-Dgatun.test.level=$level} \
    -Dgatun.cpu.library="$folder/libgatun_cpu.so" -cp "target/test-classes:$(cat target/class-path.txt)" "${@:2}" ||
    failed
}

failed() {
  echo "test/coverage/run.sh: some tests failed: their branches count all the same" >&2
}

# The processor's, of all levels or of one.
count_cpu() { # [LEVEL]
  level=${1:-}
  compile usual
  compile small CUTS=small
  find "$build"/{usual,small}/"linux-$(uname -m)/$level" -name '*.gcda' -delete
  ${CXX:-g++} -std=c++17 -O1 -shared -fPIC -o "$build/libstarved.so" src/test/cpp/starved.cpp -ldl
  run usual $tests.coverage.CoverageRun $suites.{KernelContract,NativeArguments,NativeChecks,NativeCombinations,ReducedLevels,BadArguments,BadQuantizedArguments,ReplayedCases,CastEveryHalf,LargeResults,ManyThreads,UnaryAccuracy,TokenCodes,Companions,RandomCalls,Capabilities}Test \
    $tests.quantized.{BlockMatmul,GgmlBlocks,NativeBlocks,PackedLayout,WidenedFormat}Test $tests.devices.CpuReplayTest $tests.cache.KvCacheTest
  LD_PRELOAD=$build/libstarved.so run usual $tests.contract.programs.StarvedRuns 4 "$build/libstarved.so"
  run small $tests.coverage.CoverageRun $suites.KernelContractTest
  LD_PRELOAD=$build/libstarved.so run small $tests.contract.programs.StarvedRuns 4 "$build/libstarved.so"
  python3 coverage/report.py ../docs/coverage.md coverage/reasons.txt "$build"/{usual,small}/linux-*
}

# CUDA's kernels, which a library of its own counts.
count_cuda() {
  bash emulator/build.sh "$build/cuda" covered
  find "$build/cuda" -name '*.gcda' -delete
  "$java" -Xmx3g --enable-native-access=ALL-UNNAMED -Dgatun.test.backend=cuda -Dgatun.test.seed=1 \
    -Dgatun.test.emulator="$build/cuda" -cp "target/test-classes:$(cat target/class-path.txt)" \
    $tests.coverage.CoverageRun $suites.{CudaBadIndices,CudaContract,CudaHopper,CudaQuantized,CudaQuantizedExperts,CudaSplitK,CudaLargeOffsets,Pages,TokenCodes}Test \
    $tests.devices.{CublasLt,CudaDevices,CudaExperts,CudaReplay}Test $tests.contract.forms.CudaPlainFormsTest $tests.cache.CudaKvCacheTest ||
    failed
  python3 coverage/report.py ../docs/coverage-cuda.md coverage/reasons.txt "$build/cuda"
}

for part in "$@"; do
  case $part in
    cpu) count_cpu ;;
    cuda) count_cuda ;;
    *) count_cpu "$part" ;;
  esac
done
