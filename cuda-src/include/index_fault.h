// Indices that kernels read from the device: one that is outside of its table is not used, and is
// left where the host looks when it next waits for the stream.
#ifndef GATUN_INDEX_FAULT_H
#define GATUN_INDEX_FAULT_H

#include "primitives.h"

namespace gatun {

// In the host's pinned memory, as IndexChecks.java reads it. site is 0 while there is none.
struct IndexFault {
  int lock, site, bound;
  long place, other, value;
};

// Keeps the first launch's, and of its bad indices the first by bound, place and other.
static __device__ GATUN_NOINLINE void keep_fault(IndexFault* fault, int site, int bound, long place,
                                                 long other, long value) {
  while (atomic_cas(&fault->lock, 0, 1) != 0) {
  }
  fence_device();
  volatile IndexFault* kept = fault;
  const bool before = bound != kept->bound   ? bound < kept->bound
                      : place != kept->place ? place < kept->place
                                             : other < kept->other;
  if (kept->site == 0 || (kept->site == site && before)) {
    kept->site = site;
    kept->bound = bound;
    kept->place = place;
    kept->other = other;
    kept->value = value;
  }
  fence_device();
  atomic_cas(&fault->lock, 1, 0);
}

// What a launch says of a bad index with: where to, null where all are known to be in bounds, and
// the number of the call's kernel and bounds.
struct IndexReport {
  IndexFault* fault;
  int site;

  __device__ __forceinline__ void tell(int bound, long place, long other, long value) const {
    if (fault != nullptr) {
      keep_fault(fault, site, bound, place, other, value);
    }
  }

  // Whether the index at a place is below a limit. One thread of those that look at it tells.
  __device__ __forceinline__ bool allows(int bound, long place, long index, long limit,
                                         bool tells) const {
    const bool fits =
        static_cast<unsigned long long>(index) < static_cast<unsigned long long>(limit);
    if (!fits && tells) {
      tell(bound, place, 0, index);
    }
    return fits;
  }
};

}  // namespace gatun

#endif
