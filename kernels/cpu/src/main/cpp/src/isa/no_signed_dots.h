// For levels without products of signed bytes by signed ones.
#ifndef GATUN_ISA_NO_SIGNED_DOTS_H
#define GATUN_ISA_NO_SIGNED_DOTS_H

#define GATUN_SIGNED_DOTS

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kSignedDots = 0;
namespace signed_dots {
using namespace plain;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
