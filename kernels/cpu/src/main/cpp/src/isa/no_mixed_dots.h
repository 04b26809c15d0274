// For levels without products of unsigned bytes by signed ones.
#ifndef GATUN_ISA_NO_MIXED_DOTS_H
#define GATUN_ISA_NO_MIXED_DOTS_H

#define GATUN_MIXED_DOTS

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kMixedDots = 0;
namespace mixed_dots {
using namespace plain;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
