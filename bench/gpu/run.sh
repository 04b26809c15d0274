#!/usr/bin/env bash
# Measures the CUDA kernels on the GPU of this machine:
# bench/gpu/run.sh --phase smoke|probe|vectors|contract|timing|e2e|all --deadline SECONDS --commit HASH
# needs what bench/gpu/pack.sh made, and python3, with PyTorch for the phases that time; see README.md.
set -euo pipefail
cd "$(dirname "$0")"
python3 pack.py ../target/gpu.tar.xz ../target/gpu
exec python3 -u harness.py "$@"
