// Stackful threads of execution that switch by hand.
#ifndef GATUN_EMULATOR_FIBERS_H
#define GATUN_EMULATOR_FIBERS_H

#include <cstddef>

// Saves the caller's registers and stack pointer to *from and goes on where `to` was saved.
extern "C" void gatun_emulator_switch(void** from, void* to);

namespace gatun {
namespace emulator {

// The stack pointer of a fiber that will call entry(), which must not return.
void* new_fiber(char* stack, size_t bytes, void (*entry)());

}  // namespace emulator
}  // namespace gatun

#endif
