#!/usr/bin/env bash
# Measures the CUDA kernels on the GPU of this machine: bench/gpu/run.sh --phase probe|vectors|contract|timing|e2e|all
# --deadline SECONDS --commit HASH; needs what bench/gpu/pack.sh made, nvcc, and python3 with PyTorch.
set -euo pipefail
cd "$(dirname "$0")"
pack=../target/gpu
if [ -f "$pack.tar.xz" ] && [ ! -d "$pack/jre" ]; then
  mkdir -p "$pack" && tar -xJf "$pack.tar.xz" -C "$pack"
fi
exec python3 harness.py "$@"
