// The kernels that were compiled for the emulator.
#ifndef GATUN_EMULATOR_REGISTRY_H
#define GATUN_EMULATOR_REGISTRY_H

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <typeinfo>
#include <utility>

#include "machine.h"

namespace gatun {
namespace emulator {

std::map<std::string, Kernel>& kernels();

template <class T>
struct Letter;
template <class T>
struct Letter<T*> {
  static std::string text() { return "p"; }
};
template <>
struct Letter<int> {
  static std::string text() { return "i"; }
};
template <>
struct Letter<long> {
  static std::string text() { return "l"; }
};
template <>
struct Letter<float> {
  static std::string text() { return "f"; }
};

// A structure that is passed by value: its name, without a namespace.
template <class T>
struct Letter {
  static std::string text() {
    int failed = 0;
    char* name = abi::__cxa_demangle(typeid(T).name(), nullptr, nullptr, &failed);
    const std::string whole = name;
    std::free(name);
    const size_t colon = whole.rfind(':');
    return "{" + whole.substr(colon == std::string::npos ? 0 : colon + 1) + "}";
  }
};

// Adds a kernel; the list's word on its arguments must be what the compiler sees, and blocks have
// no more threads than its __launch_bounds__ say, 1024 where it has none.
template <class... A>
struct Registration {
  Registration(const char* name, const char* arguments, int threads, int bound,
               void (*function)(A...)) {
    std::string seen;
    for (const std::string& letter : {std::string(), Letter<A>::text()...}) {
      seen += letter;
    }
    if (seen != arguments) {
      std::fprintf(stderr, "kernels.list: %s has the arguments %s, the list says %s\n", name,
                   seen.c_str(), arguments);
      std::abort();
    }
    if (threads > bound) {
      std::fprintf(stderr, "kernels.list: %s has %d threads, its __launch_bounds__ are %d\n", name,
                   threads, bound);
      std::abort();
    }
    Kernel kernel;
    kernel.name = name;
    kernel.most_threads = bound;
    int offset = 0;
    const int sizes[] = {0, static_cast<int>(sizeof(A))...};
    const int alignments[] = {1, static_cast<int>(alignof(A))...};
    for (size_t i = 1; i <= sizeof...(A); i++) {
      offset = (offset + alignments[i] - 1) / alignments[i] * alignments[i];
      kernel.sizes.push_back(sizes[i]);
      kernel.offsets.push_back(offset);
      offset += sizes[i];
    }
    kernel.call = [function](void* const* arguments) {
      invoke(function, arguments, std::index_sequence_for<A...>());
    };
    kernels()[name] = kernel;
  }

  template <size_t... I>
  static void invoke(void (*function)(A...), void* const* arguments, std::index_sequence<I...>) {
    function(*static_cast<std::remove_const_t<A>*>(arguments[I])...);
  }
};

// Of __launch_bounds__ the threads; the blocks that may follow them bind nobody.
template <class... More>
constexpr int first(int threads, More...) {
  return threads;
}

template <class... A>
Registration<A...> registration(const char* name, const char* arguments, int threads, int bound,
                                void (*function)(A...)) {
  return Registration<A...>(name, arguments, threads, bound, function);
}

}  // namespace emulator
}  // namespace gatun

#endif
