// The level's entries for the dispatcher.
#include "../level.h"

namespace gatun {

struct Kernels {
#define GATUN_KERNEL(name, parameters, arguments) int32_t(*name) parameters;
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL
};

namespace GATUN_LEVEL {

extern const Kernels kernels;
const Kernels kernels = {
#define GATUN_KERNEL(name, parameters, arguments) name,
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL
};

}  // namespace GATUN_LEVEL
}  // namespace gatun
