#!/usr/bin/env bash
# Reports what each kernel uses, by the logs of compile.sh, and holds it to registers.txt: report_registers.sh BUILD_DIR NVCC
# REGISTERS=write keeps the report as registers.txt.
set -euo pipefail
build=$1 nvcc=$2

# Registers, bytes of the stack frame, spilled and shared, the blocks that a multiprocessor has room for, and instructions.
registers() {
  echo "# What each kernel uses, by ptxas of $version: a report of REGISTERS=write cuda-src/build.sh. stack: bytes of a thread's frame."
  echo "# shared: bytes that ptxas counts and those of kernels.list. blocks: that a multiprocessor has room for, which"
  echo "# has 65536 registers, 2048 threads and 164 KB (sm_80) or 228 KB (sm_90a) of shared memory, 1 KB lost a block."
  printf '%-28s %-7s %7s %9s %7s %7s %7s %7s %12s\n' kernel target threads registers stack spilled shared blocks instructions
  for source in $(awk '{ print $1 }' "$build/kernels.list" | sort -u); do
    cat "$build/$(echo "${source%.cu}" | tr / _)".{instructions,log}
  done | awk '
    function room(total, each) { if (int(total / each) < blocks) blocks = int(total / each) }
    FILENAME == ARGV[1] { threads[$2] = $3; dynamic[$2] = $5; next }
    /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; target = part[4]; stack = spilled = 0 }
    /Function properties for/ { mine = ($NF == kernel) }
    NF == 3 && $2 ~ /^sm_/ { length_of[$1, $2] = $3; next }
    /bytes spill stores/ && mine { stack = $1; spilled = $5 + $9 }
    /Used [0-9]+ registers/ {
      shared = dynamic[kernel] + 0
      for (i = 1; i <= NF; i++) {
        if ($i == "Used") used = $(i + 1)
        if ($(i + 1) == "bytes" && $(i + 2) ~ /^smem/) shared += $i
      }
      blocks = 32
      room(65536, int((used * 32 + 255) / 256) * 256 * threads[kernel] / 32)
      room(2048, threads[kernel])
      room((target == "sm_80" ? 164 : 228) * 1024, shared + 1024)
      if (target == "sm_80" || target == "sm_90a") printf "%-28s %-7s %7d %9d %7d %7d %7d %7d %12d\n", kernel, target, threads[kernel], used, stack, spilled, shared, blocks, length_of[kernel, target]
    }' "$build/kernels.list" - | sort
}
version="nvcc $("$nvcc" --version | sed -n 's/.*, V\([0-9.]*\)$/\1/p')"
registers >"$build/registers.txt"
if [ "${REGISTERS:-}" = write ]; then
  cp "$build/registers.txt" registers.txt
fi
same=0
if grep -q "ptxas of $version:" registers.txt; then
  same=1
else
  echo "cuda-src/build.sh: registers.txt was made by another compiler than $version: spills and blocks are not compared"
fi
awk -v same=$same -f check_registers.awk registers.txt "$build/registers.txt" >&2 || {
  echo "cuda-src/build.sh: mend the kernels, or keep what they use now by REGISTERS=write cuda-src/build.sh BUILD_DIR RESOURCE_DIR" >&2
  exit 1
}
cmp -s registers.txt "$build/registers.txt" || echo "cuda-src/build.sh: $(diff registers.txt "$build/registers.txt" | grep -c '^>') lines of $build/registers.txt are not those of registers.txt"
