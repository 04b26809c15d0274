#!/usr/bin/env bash
# Builds libgatun_cpu for this machine and, where its compiler is there, for Linux on aarch64: build.sh BUILD_DIR RESOURCE_DIR [TARGET...]
# RESOURCE_DIR gets PLATFORM/libgatun_cpu.so and its SHA-256. CXX names the compiler, AARCH64_CXX the one for aarch64.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../../../../native/make.sh"
need_compiler "${CXX:-g++}"
mkdir -p "$1" "$2"
build=$(cd "$1" && pwd) resources=$(cd "$2" && pwd)
run_make -C "$here" BUILD="$build" RESOURCES="$resources" "${@:3}"
