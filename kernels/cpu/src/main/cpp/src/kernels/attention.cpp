// Scaled dot-product attention: the work is cut by sequence, head and chunk of queries.
#include "../attention_pair_rows.h"
#include "../attention_pairs.h"
#include "../attention_rows.h"
#include "../attention_tiles.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

bool is_valid(const gatun_attention &a) {
  const int64_t sizes[] = {a.batch,      a.heads,     a.kv_heads,        a.query_length,
                           a.key_length, a.head_size, a.value_head_size, a.window};
  for (int64_t size : sizes) {
    if (size < 0) {
      return false;
    }
  }
  return a.causal >= GATUN_CAUSAL_NONE && a.causal <= GATUN_CAUSAL_BOTTOM_RIGHT &&
         a.softcap >= 0.0f && a.dropout >= 0.0f && a.dropout < 1.0f &&
         (a.heads == 0 || (a.kv_heads != 0 && a.heads % a.kv_heads == 0)) &&
         (a.block_table == nullptr || (a.key_lengths != nullptr && a.page_size > 0)) &&
         (a.key_scales == nullptr) == (a.value_scales == nullptr) && a.room >= 0;
}

template <typename S, typename Blocks, typename FewRows>
int32_t attention(const gatun_attention &a) {
  if (a.heads == 0) {
    return GATUN_OK;
  }
  std::atomic<bool> failed{false};
  const int64_t shared = a.heads / a.kv_heads;
  const auto is_few = [&](const S &s) { return s.queries * shared <= kMaxRows; };
  const auto rows = [&](int64_t task) {
    static thread_local Scratch scratch;
    const S sequence(a, task / a.kv_heads);
    RowSpace space;
    if (sequence.queries == 0 || !is_few(sequence)) {
      return;
    }
    if (!space.reserve(scratch, FewRows::floats(a.head_size),
                       FewRows::sum_columns(a.value_head_size))) {
      failed.store(true);
    } else {
      RowAttention<S, FewRows>(sequence, task % a.kv_heads, space).run();
    }
  };
  const bool all_few = a.query_length * shared <= kMaxRows;
  const int64_t chunks = all_few ? 0 : (a.query_length + kChunkQueries - 1) / kChunkQueries;
  const auto tiles = [&](int64_t task) {
    static thread_local Scratch scratch;
    // The last chunks first: under a causal mask they are the longest.
    const int64_t chunk = chunks - 1 - task / (a.batch * a.heads);
    const int64_t all = a.batch * a.heads, head = task % all, after = (task + 1) % all;
    const S sequence(a, head / a.heads), next(a, after / a.heads);
    TileSpace space;
    if (chunk * kChunkQueries >= sequence.queries || is_few(sequence)) {
      return;
    }
    if (!space.reserve(scratch, Blocks::floats(a.head_size, a.value_head_size),
                       Blocks::sum_columns(a.value_head_size))) {
      failed.store(true);
    } else {
      TileAttention<S, Blocks>(sequence, head % a.heads, next, after % a.heads,
                               chunk * kChunkQueries, space)
          .run();
    }
  };
  // Each sequence by the way that its own queries are worth.
  const int64_t tile_tasks = a.batch * a.heads * chunks;
  parallel(tile_tasks + a.batch * a.kv_heads,
           [&](int64_t task) { task < tile_tasks ? tiles(task) : rows(task - tile_tasks); });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

// By arithmetic in float.
template <typename Number, typename Stored = Number>
int32_t float_attention(const gatun_attention &a) {
  using S = Sequence<Number, Stored>;
  return attention<S, FloatBlocks<S>, FloatRows<S>>(a);
}

template <typename Number>
int32_t coded_attention(const gatun_attention &a) {
  return float_attention<Number, int8_t>(a);
}

}  // namespace

int32_t scaled_dot_product_attention(const gatun_attention *args) {
  if (!is_valid(*args)) {
    return GATUN_INVALID_ARGUMENT;
  }
  const bool coded = args->key_scales != nullptr;
  switch (args->dtype) {
    case GATUN_DTYPE_F32:
      return coded ? coded_attention<float>(*args) : float_attention<float>(*args);
    case GATUN_DTYPE_BF16:
      return coded         ? coded_attention<Bf16>(*args)
             : has(kPairs) ? attention<Sequence<Bf16>, PairBlocks, PairRows>(*args)
                           : float_attention<Bf16>(*args);
    case GATUN_DTYPE_F16:
      return coded ? coded_attention<F16>(*args) : float_attention<F16>(*args);
    default:
      return GATUN_INVALID_ARGUMENT;
  }
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
