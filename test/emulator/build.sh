#!/usr/bin/env bash
# Builds the emulated CUDA driver with all kernels of cuda-src and of probes: build.sh BUILD_DIR [planted|covered]
# BUILD_DIR gets libgatun_emulated_cuda.so and images/SOURCE.fatbin, images that name a source's kernels. With planted the
# kernels are those of emulator/planted, and BUILD_DIR gets planted_test too. With covered kernels count which branches they
# take, for gcov.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../../kernels/native/make.sh"
need_compiler "${CXX:-g++}"
mkdir -p "$1"
build=$(cd "$1" && pwd)
case ${2:-} in
  '') run_make -C "$here" BUILD="$build" KERNELS="../../cuda-src probes" ;;
  planted) run_make -C "$here" BUILD="$build" KERNELS=planted all "$build/planted_test" ;;
  covered) run_make -C "$here" BUILD="$build" KERNELS=../../cuda-src COVERAGE=yes ;;
  *) echo "build.sh: '$2': expected planted, covered or nothing" >&2; exit 1 ;;
esac
