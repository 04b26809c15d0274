#include "fibers.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
// The registers that a called function must keep, as the System V ABI says.
asm(R"(
.text
.globl gatun_emulator_switch
.type gatun_emulator_switch, @function
gatun_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size gatun_emulator_switch, .-gatun_emulator_switch
)");

void* gatun::emulator::new_fiber(char* stack, size_t bytes, void (*entry)()) {
  auto top = reinterpret_cast<void**>(stack + bytes - 16);
  *--top = nullptr;  // What entry would return to; keeps its frame aligned to 16 bytes.
  *--top = reinterpret_cast<void*>(entry);
  top -= 6;
  std::memset(top, 0, 6 * sizeof(void*));
  return top;
}
#elif defined(__aarch64__)
asm(R"(
.text
.globl gatun_emulator_switch
.type gatun_emulator_switch, %function
gatun_emulator_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");

void* gatun::emulator::new_fiber(char* stack, size_t bytes, void (*entry)()) {
  auto top = reinterpret_cast<uint64_t*>(stack + bytes) - 20;
  std::memset(top, 0, 160);
  top[11] = reinterpret_cast<uint64_t>(entry);
  return top;
}
#else
#error "the emulator has fibers for x86-64 and aarch64"
#endif
