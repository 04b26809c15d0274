// The matrix registers of AMX, for a level whose processors may have it: eight of at most 16 rows
// of 16 words.
#ifndef GATUN_ISA_AMX_H
#define GATUN_ISA_AMX_H

#include "../vectors.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kMatrixPairs = GATUN_FEATURE_AMX_BF16;
constexpr int32_t kMatrixBytes = GATUN_FEATURE_AMX_INT8;

// By assembly, for compilers do not know that the intrinsics read and write memory.

// What the registers of a thread are; palette 0 where they are nothing.
struct MatrixConfiguration {
  uint8_t palette, row, unused[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

static inline MatrixConfiguration matrix_configuration() {
  MatrixConfiguration configuration;
  __asm__ volatile("sttilecfg %0" : "=m"(configuration));
  return configuration;
}

// Makes the thread's registers matrices of these rows and words, all 0.
static inline void shape_matrices(const MatrixShape (&shapes)[kMatrices]) {
  MatrixConfiguration configuration = {};
  configuration.palette = 1;
  for (int i = 0; i < kMatrices; i++) {
    configuration.row_bytes[i] = static_cast<uint16_t>(4 * shapes[i].words);
    configuration.rows[i] = static_cast<uint8_t>(shapes[i].rows);
  }
  __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
}

// Gives them up: what they hold need not be kept for the thread any more. They become what they
// were, for libraries beside this one shape a thread's registers once and rely on it.
static inline void release_matrices(const MatrixConfiguration &before) {
  if (before.palette == 0) {
    __asm__ volatile("tilerelease");
  } else {
    __asm__ volatile("ldtilecfg %0" : : "m"(before));
  }
}

template <int kAt>
static inline void clear_matrix() {
  __asm__ volatile("tilezero %%tmm%c0" : : "i"(kAt));
}

// Rows lie `stride` bytes apart.
template <int kAt>
static inline void load_matrix(const void *p, int64_t stride) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(stride), "i"(kAt) : "memory");
}
template <int kAt>
static inline void store_matrix(void *p, int64_t stride) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(stride), "i"(kAt) : "memory");
}

// sums[rows][columns] += x[rows][words] * weights[words][columns], words being pairs of bf16.
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_pairs() {
  __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kX), "i"(kWeights));
}
// The same of four signed bytes of x and four unsigned ones of weights, in whole numbers.
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_bytes() {
  __asm__ volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kX), "i"(kWeights));
}
// The same of signed bytes on both sides.
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_signed_bytes() {
  __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kX), "i"(kWeights));
}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
