// Calls that are kept to be made again, in their order, by one call.
#ifndef GATUN_RECORDING_H
#define GATUN_RECORDING_H

#include <cstdint>
#include <new>
#include <tuple>

#include "gatun_cpu.h"

namespace gatun {

struct Kernels;

struct Step {
  int32_t (*run)(const Step &step, const Kernels &kernels);
  Step *next;
};

// A kernel of the table, whatever the level is by then, and what it is called with.
template <typename... A>
struct Call : Step {
  int32_t (*Kernels::*kernel)(A...);
  std::tuple<A...> arguments;

  static int32_t make(const Step &step, const Kernels &kernels) {
    const Call &call = static_cast<const Call &>(step);
    return std::apply(kernels.*call.kernel, call.arguments);
  }
};

}  // namespace gatun

struct gatun_recording {
  gatun::Step *first = nullptr;
  gatun::Step **end = &first;

  // Whether there was memory for it.
  template <typename... A>
  bool add(int32_t (*gatun::Kernels::*kernel)(A...), A... arguments) {
    void *memory = gatun_allocate(sizeof(gatun::Call<A...>));
    if (memory == nullptr) {
      return false;
    }
    gatun::Step *step =
        new (memory) gatun::Call<A...>{{gatun::Call<A...>::make, nullptr}, kernel, {arguments...}};
    *end = step;
    end = &step->next;
    return true;
  }

  // The status of the first call that fails, whose number is then in *failed; GATUN_OK.
  int32_t run(const gatun::Kernels &kernels, int64_t *failed) const {
    int64_t number = 0;
    for (const gatun::Step *step = first; step != nullptr; step = step->next, number++) {
      const int32_t status = step->run(*step, kernels);
      if (status != 0) {
        *failed = number;
        return status;
      }
    }
    return 0;
  }

  ~gatun_recording() {
    for (gatun::Step *step = first; step != nullptr;) {
      gatun::Step *next = step->next;
      gatun_free(step);
      step = next;
    }
  }
};

#endif
