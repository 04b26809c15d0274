// The types of whole numbers, so that a kernel is written once for all of them.
#ifndef GATUN_WHOLE_NUMBERS_H
#define GATUN_WHOLE_NUMBERS_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

// Calls body(a number of the type that dtype names) where that is one of whole numbers. Whether it
// is.
template <typename Body>
static inline bool by_whole_dtype(int32_t dtype, const Body &body) {
  switch (dtype) {
    case GATUN_DTYPE_I64:
      body(int64_t{});
      return true;
    case GATUN_DTYPE_I32:
      body(int32_t{});
      return true;
    case GATUN_DTYPE_I8:
      body(int8_t{});
      return true;
    case GATUN_DTYPE_U8:
      body(uint8_t{});
      return true;
    default:
      return false;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
