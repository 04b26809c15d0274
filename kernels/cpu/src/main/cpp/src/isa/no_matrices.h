// For levels without matrix registers: kernels ask kMatrixPairs or kMatrixBytes before they use
// any.
#ifndef GATUN_ISA_NO_MATRICES_H
#define GATUN_ISA_NO_MATRICES_H

#include "../vectors.h"

namespace gatun {
namespace GATUN_LEVEL {

constexpr int32_t kMatrixPairs = 0, kMatrixBytes = 0;

struct MatrixConfiguration {};

static inline MatrixConfiguration matrix_configuration() { return {}; }
static inline void shape_matrices(const MatrixShape (&)[kMatrices]) {}
static inline void release_matrices(const MatrixConfiguration &) {}
template <int kAt>
static inline void clear_matrix() {}
template <int kAt>
static inline void load_matrix(const void *, int64_t) {}
template <int kAt>
static inline void store_matrix(void *, int64_t) {}
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_pairs() {}
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_bytes() {}
template <int kSums, int kX, int kWeights>
static inline void dot_matrix_signed_bytes() {}

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
