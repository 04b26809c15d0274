// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#ifndef GATUN_PHILOX_H
#define GATUN_PHILOX_H

#include "level.h"

namespace gatun {
namespace GATUN_LEVEL {

struct PhiloxWords {
  uint32_t of[4];
};

// The four words that the counter (x, y, z, w) gives under a key.
static inline PhiloxWords philox_words(uint32_t x, uint32_t y, uint32_t z, uint32_t w,
                                       uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t first = uint64_t{0xD2511F53} * x, second = uint64_t{0xCD9E8D57} * z;
    x = static_cast<uint32_t>(second >> 32) ^ y ^ k0;
    y = static_cast<uint32_t>(second);
    z = static_cast<uint32_t>(first >> 32) ^ w ^ k1;
    w = static_cast<uint32_t>(first);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return {{x, y, z, w}};
}

// The first of them.
static inline uint32_t philox(uint32_t x, uint32_t y, uint32_t z, uint32_t w, uint64_t key) {
  return philox_words(x, y, z, w, key).of[0];
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
