# What a build may not lose: awk -v same=0|1 -f check_registers.awk registers.txt BUILT
# Both are reports as build.sh writes them: kernel, target, threads, registers, stack, spilled,
# shared, blocks, instructions. Where they are of the same compiler, no kernel may spill more than the first
# says, nor leave a multiprocessor room for fewer blocks. By any compiler a product of 64 tokens
# by warpgroups stays below what the instruction cache holds beside its neighbours.
function wrong(text) { print "cuda-src: " $1 " for " $2 " " text; bad = 1 }
/^#/ || $1 == "kernel" { next }
FNR == NR { spilled[$1, $2] = $6; blocks[$1, $2] = $8; next }
NF != 9 { wrong("has " NF " columns, expected 9") }
same && $6 > spilled[$1, $2] + 0 { wrong("spills " $6 " bytes, registers.txt says " spilled[$1, $2] + 0) }
same && $8 < blocks[$1, $2] + 0 { wrong("leaves room for " $8 " blocks a multiprocessor, registers.txt says " blocks[$1, $2]) }
$1 ~ /_m64_sm90a$/ && $9 >= 6000 { wrong("has " $9 " instructions, expected below 6000") }
END { exit bad }
