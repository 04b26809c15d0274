// Gatun's CPU kernels: the C interface of libgatun_cpu.
#ifndef GATUN_CPU_H
#define GATUN_CPU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GATUN_EXPORT __attribute__((visibility("default")))
#else
#define GATUN_EXPORT
#endif

// Raised whenever a signature or a packed layout changes.
#define GATUN_CPU_ABI 16

// Output features in a panel of a packed matmul weight.
#define GATUN_PANEL 32

// In place of the distance between the rows of a matmul weight that is packed.
#define GATUN_PACKED (-1)

typedef enum {
  GATUN_OK = 0,
  GATUN_INVALID_ARGUMENT = 1,
  GATUN_OUT_OF_MEMORY = 2,
  GATUN_UNSUPPORTED_LEVEL = 3,
  GATUN_NOT_FINITE = 4,    // a number or a scale is NaN or infinite where that has no meaning
  GATUN_OUT_OF_RANGE = 5,  // an index or an offset is none of what it is looked up in
} gatun_status;

// Levels: sets of instructions that all kernels are compiled for. A machine has some of them, in no
// order; gatun_level_needs says what makes up each.
typedef enum {
  GATUN_LEVEL_PORTABLE = 0,
  GATUN_LEVEL_AVX2 = 1,
  GATUN_LEVEL_AVX512 = 2,
  GATUN_LEVEL_NEON = 3,
} gatun_level;

// Instruction sets, as bits. Those that no level needs are used by the kernels of a level that gain
// by them, where the processor has them.
typedef enum {
  GATUN_FEATURE_AVX2 = 1,
  GATUN_FEATURE_FMA = 2,
  GATUN_FEATURE_F16C = 4,
  GATUN_FEATURE_AVX512 = 8,  // F, BW, DQ and VL
  GATUN_FEATURE_AVX512_VNNI = 16,
  GATUN_FEATURE_AVX512_BF16 = 32,
  GATUN_FEATURE_AVX_VNNI = 64,
  GATUN_FEATURE_NEON = 128,
  GATUN_FEATURE_DOTPROD = 256,
  GATUN_FEATURE_I8MM = 512,
  GATUN_FEATURE_ARM_BF16 = 1024,
  GATUN_FEATURE_AMX_BF16 = 2048,
  GATUN_FEATURE_AMX_INT8 = 4096,
} gatun_feature;

typedef enum {
  GATUN_ACTIVATION_NONE = 0,
  GATUN_ACTIVATION_RELU = 1,
  GATUN_ACTIVATION_GELU = 2,       // x * Phi(x), by the error function
  GATUN_ACTIVATION_GELU_TANH = 3,  // the tanh approximation
  GATUN_ACTIVATION_TANH = 4,
  GATUN_ACTIVATION_SIGMOID = 5,
  GATUN_ACTIVATION_SILU = 6,
  GATUN_ACTIVATION_QUICK_GELU = 7,  // x * sigmoid(1.702 x)
} gatun_activation;

// Element types of arguments that are void pointers.
typedef enum {
  GATUN_DTYPE_F32 = 0,
  GATUN_DTYPE_BF16 = 1,
  GATUN_DTYPE_F16 = 2,
  // Of casts alone.
  GATUN_DTYPE_I64 = 3,
  GATUN_DTYPE_I32 = 4,
  GATUN_DTYPE_I8 = 5,
  GATUN_DTYPE_U8 = 6,
} gatun_dtype;

// How a row of a quantised weight lies in a file: blocks of neighbouring input features, each a
// scale, perhaps a zero point or a minimum, and codes. The first four are Gatun's own, the others
// GGML's to the byte; numbers are little-endian.
typedef enum {
  GATUN_BLOCKS_INT8 = 0,       // f32 scale, signed bytes
  GATUN_BLOCKS_INT8_ZERO = 1,  // f32 scale, zero point of two bytes, unsigned bytes
  GATUN_BLOCKS_INT4 = 2,       // f16 scale; byte i has element i low and i + block / 2 high, plus 8
  GATUN_BLOCKS_INT4_ZERO = 3,  // f16 scale, zero point of a byte, then as INT4
  GATUN_BLOCKS_Q4_0 = 4,
  GATUN_BLOCKS_Q4_1 = 5,
  GATUN_BLOCKS_Q5_0 = 6,
  GATUN_BLOCKS_Q5_1 = 7,
  GATUN_BLOCKS_Q8_0 = 8,
  GATUN_BLOCKS_Q4_K = 9,
  GATUN_BLOCKS_Q5_K = 10,
  GATUN_BLOCKS_Q6_K = 11,
  GATUN_BLOCKS_Q2_K = 12,
  GATUN_BLOCKS_Q3_K = 13,
  GATUN_BLOCKS_IQ4_NL = 14,
  GATUN_BLOCKS_IQ4_XS = 15,
  GATUN_BLOCKS_MXFP4 = 16,
} gatun_blocks;

// What each group of an output feature of a quantised weight has beside its codes.
typedef enum {
  GATUN_SCALES_F32 = 0,       // scale * code
  GATUN_SCALES_F16 = 1,       // scale * code
  GATUN_SCALES_F16_ZERO = 2,  // scale * (code - zero), zero a signed byte
  GATUN_SCALES_F32_MIN = 3,   // scale * code + min, min f32
  GATUN_SCALES_F32_SUM = 4,   // scale * code, and the sum of the group's elements, f32
  GATUN_SCALES_F16_MIN = 5,   // scale * (code + 2^(bits-1)) + min, min f16
  // scale * times * code, the f16 scale of a record of 256, times a signed byte of a group
  GATUN_SCALES_F16_BYTE = 6,
  // scale * times * (code + 2^(bits-1)) - min * less, the f16 min of a record, less as times
  GATUN_SCALES_F16_BYTE_MIN = 7,
} gatun_scales;

// What becomes of the activations of a product with a quantised weight.
typedef enum {
  GATUN_ACTIVATIONS_EXACT = 0,
  GATUN_ACTIVATIONS_INT8_PER_TOKEN = 1,
  GATUN_ACTIVATIONS_INT8_BLOCKS = 2,  // blocks of 32 input features
} gatun_activations;

typedef enum {
  GATUN_BINARY_OP_ADD = 0,
  GATUN_BINARY_OP_SUBTRACT = 1,
  GATUN_BINARY_OP_MULTIPLY = 2,
  GATUN_BINARY_OP_DIVIDE = 3,
  GATUN_BINARY_OP_MAXIMUM = 4,  // NaN where either is
  GATUN_BINARY_OP_MINIMUM = 5,
  GATUN_BINARY_OP_EQUAL = 6,  // 1 or 0
  GATUN_BINARY_OP_LESS = 7,   // 1 or 0
  GATUN_BINARY_OP_DIVIDE_BY_ROOT = 8,
  GATUN_BINARY_OP_KEEP_WHERE = 9,  // a, or 0 where b is 0
  GATUN_BINARY_OP_REMAINDER = 10,  // with b's sign; a where b is 0
} gatun_binary_op;

// Of NaN all but NOT_EQUAL is false.
typedef enum {
  GATUN_COMPARISON_EQUAL = 0,
  GATUN_COMPARISON_NOT_EQUAL = 1,
  GATUN_COMPARISON_LESS = 2,
  GATUN_COMPARISON_LESS_EQUAL = 3,
  GATUN_COMPARISON_GREATER = 4,
  GATUN_COMPARISON_GREATER_EQUAL = 5,
} gatun_comparison;

// Functions of a number; see UnaryOp.
typedef enum {
  GATUN_UNARY_OP_ABS = 0,
  GATUN_UNARY_OP_NEGATE = 1,
  GATUN_UNARY_OP_SIGN = 2,
  GATUN_UNARY_OP_SQUARE = 3,
  GATUN_UNARY_OP_RECIPROCAL = 4,
  GATUN_UNARY_OP_SQRT = 5,
  GATUN_UNARY_OP_RSQRT = 6,
  GATUN_UNARY_OP_CBRT = 7,
  GATUN_UNARY_OP_FLOOR = 8,
  GATUN_UNARY_OP_CEIL = 9,
  GATUN_UNARY_OP_ROUND = 10,
  GATUN_UNARY_OP_TRUNC = 11,
  GATUN_UNARY_OP_EXP = 12,
  GATUN_UNARY_OP_EXPM1 = 13,
  GATUN_UNARY_OP_LOG = 14,
  GATUN_UNARY_OP_LOG1P = 15,
  GATUN_UNARY_OP_LOG2 = 16,
  GATUN_UNARY_OP_LOG10 = 17,
  GATUN_UNARY_OP_SIN = 18,
  GATUN_UNARY_OP_COS = 19,
  GATUN_UNARY_OP_TAN = 20,
  GATUN_UNARY_OP_ASIN = 21,
  GATUN_UNARY_OP_ACOS = 22,
  GATUN_UNARY_OP_ATAN = 23,
  GATUN_UNARY_OP_SINH = 24,
  GATUN_UNARY_OP_COSH = 25,
  GATUN_UNARY_OP_ASINH = 26,
  GATUN_UNARY_OP_ACOSH = 27,
  GATUN_UNARY_OP_ATANH = 28,
  GATUN_UNARY_OP_ERF = 29,
} gatun_unary_op;

typedef enum {
  GATUN_REDUCTION_SUM = 0,
  GATUN_REDUCTION_MEAN = 1,
  GATUN_REDUCTION_MAX = 2,
  GATUN_REDUCTION_MIN = 3,
} gatun_reduction;

typedef enum {
  GATUN_SCAN_OP_SUM = 0,
  GATUN_SCAN_OP_PRODUCT = 1,
} gatun_scan_op;

// How random numbers are distributed: from a lowest to below a highest, or of a mean and a
// deviation.
typedef enum {
  GATUN_RANDOM_UNIFORM = 0,
  GATUN_RANDOM_NORMAL = 1,
} gatun_random;

// How a step changes a parameter, with the state that each keeps; see UpdateRule.
typedef enum {
  GATUN_UPDATE_SGD = 0,
  GATUN_UPDATE_SGD_MOMENTUM = 1,
  GATUN_UPDATE_SGD_NESTEROV = 2,
  GATUN_UPDATE_ADAM = 3,
  GATUN_UPDATE_ADAM_AMSGRAD = 4,
  GATUN_UPDATE_ADAGRAD = 5,
  GATUN_UPDATE_RMSPROP = 6,
  GATUN_UPDATE_RMSPROP_CENTERED = 7,
  GATUN_UPDATE_RMSPROP_MOMENTUM = 8,
  GATUN_UPDATE_RMSPROP_CENTERED_MOMENTUM = 9,
  GATUN_UPDATE_ADADELTA = 10,
} gatun_update;

typedef enum {
  GATUN_POOL_MEAN = 0,
  GATUN_POOL_FIRST = 1,
  GATUN_POOL_MAX = 2,
  GATUN_POOL_LAST = 3,
} gatun_pooling_mode;

typedef enum {
  GATUN_CAUSAL_NONE = 0,
  GATUN_CAUSAL_TOP_LEFT = 1,
  GATUN_CAUSAL_BOTTOM_RIGHT = 2,
} gatun_causal;

// softmax(scores) * value, a head at a time, with scores = scale * query * key^T, then capped to
// softcap * tanh(scores / softcap), then with bias and ALiBi added, then masked.
//
// Element (b, t, h, d) of query lies at query[b * query_strides[0] + t * query_strides[1] +
// h * query_strides[2] + d], likewise for key, value and output. With query_offsets set the queries
// are ragged: sequence b has the tokens query_offsets[b] .. query_offsets[b + 1], strides[0] is not
// used and query_length is the longest; key_offsets likewise for keys and values. With block_table
// set they lie in pages: key j of sequence b is token j % page_size of page
// block_table[b * block_table_stride + j / page_size], and strides[0] is a page's. A query that may
// see nothing gives 0, and -inf as its log-sum-exp (its sink where there is one).
//
// With key_scales set, and so value_scales, keys and values are signed bytes that mean as many
// times the scale of their row: that of head g of the token at place t of row or page p is
// scales[(p * room + t) * kv_heads + g], p being 0 where keys are ragged.
typedef struct {
  const void *query;
  const void *key;
  const void *value;
  void *output;
  float *lse;      // nullable; [batch][heads][query_length]
  float *weights;  // nullable; [batch][heads][query_length][key_length], the probabilities
  const int32_t *query_offsets;  // nullable; batch + 1
  const int32_t *key_offsets;    // nullable; batch + 1
  const int32_t *key_lengths;    // nullable; the keys in use of each sequence, batch
  const int32_t *block_table;    // nullable; needs key_lengths
  const uint8_t *key_mask;       // nullable; [batch][key_length], 0 where a key is not to be seen
  const float *bias;             // nullable; strides of 0 broadcast
  const float *alibi;            // nullable; [heads], slopes: -slope * |query - key| is added
  const float *sinks;            // nullable; [heads], logits that only the denominator has
  const float *key_scales;       // nullable
  const float *value_scales;     // nullable
  int64_t query_strides[3];      // batch, token, head
  int64_t key_strides[3];
  int64_t value_strides[3];
  int64_t output_strides[3];
  int64_t bias_strides[4];  // batch, head, query, key
  int64_t batch;
  int64_t heads;
  int64_t kv_heads;  // divides heads; query head h reads key head h / (heads / kv_heads)
  int64_t query_length;
  int64_t key_length;
  int64_t head_size;
  int64_t value_head_size;
  int64_t block_table_stride;
  int64_t page_size;
  int64_t room;    // tokens of a row or page that have scales
  int64_t window;  // keys that a query sees back, its own included, and ahead; 0 for all
  uint64_t seed;   // of the dropout
  float scale;
  float softcap;  // 0 for none
  float dropout;  // probability of dropping, by Philox of (key, query, head, batch); 0 for none
  int32_t causal;
  int32_t dtype;  // of query and output, and of key and value where they have no scales
} gatun_attention;

// A parameter in a step of an optimiser: elements that lie without gaps.
typedef struct {
  float *parameter;
  const float *gradient;
  float *states[3];  // as many as the update keeps, in its order
  void *copy;        // nullable; receives the new parameter in another dtype
  int64_t count;
  float numbers[8];  // of the update, in its order
} gatun_parameter;

// A parameter in a step of Adafactor: matrices one after another, without gaps.
typedef struct {
  float *parameter;
  const float *gradient;
  float *row_squares;     // [batches][rows]; of what is no matrix [columns], with 1 batch and 1 row
  float *column_squares;  // [batches][columns]; null of what is no matrix
  float *mean;            // nullable; of the updates
  void *copy;             // nullable; receives the new parameter in another dtype
  int64_t batches;
  int64_t rows;
  int64_t columns;
  float numbers[8];  // of the rule, in its order
} gatun_factored_parameter;

// Numbers without gaps.
typedef struct {
  const float *first;
  int64_t count;
} gatun_range;

// Calls that are kept, to be made again.
typedef struct gatun_recording gatun_recording;

// Every kernel takes a recording before its own parameters: null runs it now; else the call is kept
// behind those that are there and nothing is done, so that GATUN_OK says that there was memory for
// it. Pointers are kept as they are: what they lead to, a gatun_attention and a layout too, must
// stay until the recording is freed.
#define GATUN_LIST(...) __VA_ARGS__
#define GATUN_KERNEL(name, parameters, arguments) \
  GATUN_EXPORT int32_t gatun_##name(gatun_recording *recording, GATUN_LIST parameters);
#include "gatun_cpu_kernels.def"
#undef GATUN_KERNEL

GATUN_EXPORT int32_t gatun_abi(void);

// Bytes of the calling thread's stack below the caller's frame; 0 where they cannot be told, as on
// a process's first thread, whose stack grows up to a limit.
GATUN_EXPORT int64_t gatun_stack_left(void);

// Nothing yet; null when there is no memory.
GATUN_EXPORT gatun_recording *gatun_new_recording(void);
GATUN_EXPORT void gatun_free_recording(gatun_recording *recording);

// Makes the calls of a recording in their order, up to the first that fails: its status, and its
// number from 0 on in *failed. Not while one is kept in it.
GATUN_EXPORT int32_t gatun_run_recording(const gatun_recording *recording, int64_t *failed);

// The instruction sets that kernels may use, as gatun_feature bits: all that the processor and the
// operating system support, until gatun_set_features leaves some out, for tests; -1 is all again.
GATUN_EXPORT int32_t gatun_features(void);
GATUN_EXPORT int32_t gatun_set_features(int32_t features);

// The levels that this processor runs, the bit 1 << level of each, and the best one of them.
GATUN_EXPORT int32_t gatun_levels(void);
GATUN_EXPORT int32_t gatun_best_level(void);

// The instruction sets that a level is compiled for, as gatun_feature bits; -1 where the library
// has no such level, which is one of another machine.
GATUN_EXPORT int32_t gatun_level_needs(int32_t level);

// The level in use: the best one, until gatun_set_level asks for another.
GATUN_EXPORT int32_t gatun_get_level(void);
GATUN_EXPORT int32_t gatun_set_level(int32_t level);

// Threads that a call may use, the caller included; 1 to 1024. At first the processors that the
// process may run on. Must not be changed while a kernel runs.
GATUN_EXPORT int32_t gatun_get_threads(void);
GATUN_EXPORT int32_t gatun_set_threads(int32_t threads);

// Bytes aligned to 64; null when there is no memory.
GATUN_EXPORT void *gatun_allocate(int64_t bytes);
GATUN_EXPORT void gatun_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
