// What steps of all optimisers have in common.
#ifndef GATUN_OPTIM_H
#define GATUN_OPTIM_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// Makes a scale of gradients the one that clips them to max_norm by their norm, which may be null;
// false where that is not finite, and nothing is to be changed.
static inline bool clip(float &scale, const float *norm, float max_norm) {
  if (norm == nullptr) {
    return true;
  }
  if (!__builtin_isfinite(*norm)) {
    return false;
  }
  const float most = max_norm / (*norm + 1e-6f);
  scale *= most < 1.0f ? most : 1.0f;
  return true;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
