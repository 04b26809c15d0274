// Lays blocks out for products, as dev.gatun.kernels.formats.Packer does, to the byte.
#include "quantized/blocks.h"
#include "quantized/product.h"
#include "strided.h"

using namespace gatun;

struct BlockPack {
  const uint8_t* blocks;
  uint8_t* packed;
  // Receives the first block whose scale or minimum is not finite.
  unsigned long long* first;
  // Bytes from row to row; rows and their elements.
  long row_stride, n, k;
  // Elements and bytes of a block, elements of a group, bytes of a group's record.
  long block_size, block_bytes, group, record;
  int kind, bits, scales;
};

static __device__ __forceinline__ bool is_finite(float x) { return fabsf(x) <= 3.402823466e38f; }

// A thread a block; *first begins as the largest number.
// kernels.list: quantized_scales_check 256 {BlockPack} 0
extern "C" __global__ void __launch_bounds__(256) quantized_scales_check(const BlockPack p) {
  const long blocks = p.k / p.block_size, i = global_thread();
  if (i >= p.n * blocks) {
    return;
  }
  const uint8_t* block = p.blocks + i / blocks * p.row_stride + i % blocks * p.block_bytes;
  for (int g = 0; g < p.block_size / p.group; g++) {
    const BlockGroup group = block_group(p.kind, block, g);
    if (!is_finite(group.scale) || !is_finite(group.min)) {
      atomic_min(p.first, static_cast<unsigned long long>(i));
    }
  }
}

static __device__ __forceinline__ void store_word(uint8_t* to, uint32_t word) {
  *reinterpret_cast<uint32_t*>(to) = word;
}

// Of each lane what it found.
struct Sums {
  int sum[8][kPanelFeatures];
};

// What a feature has beside its codes of a group.
static __device__ __forceinline__ void write_header(const BlockPack& p, uint8_t* record,
                                                    int feature, const BlockGroup& group, int sum) {
  if (p.scales == kScaleF16 || p.scales == kScaleF16Zero) {
    reinterpret_cast<uint16_t*>(record)[feature] = to_f16(group.scale);
    if (p.scales == kScaleF16Zero) {
      record[2 * kPanelFeatures + feature] = static_cast<uint8_t>(group.zero);
    }
    return;
  }
  store_word(record + 4 * feature, word_of(group.scale));
  uint8_t* more = record + 4 * kPanelFeatures + 4 * feature;
  const double scale = group.scale;
  if (p.scales == kScaleF32Min) {
    const double moved = centre_of(p.kind) - group.zero;
    store_word(more, word_of(static_cast<float>(group.min + moved * scale)));
  } else if (p.scales == kScaleF32Sum) {
    store_word(more, word_of(static_cast<float>(scale * sum)));
  }
}

// A block a group of a panel: each thread has a feature and every eighth word of its codes. packed
// is aligned to 4 bytes. Grid: (panels, groups of a row).
// kernels.list: quantized_pack 256 {BlockPack} 1024
GATUN_SHARED(quantized_pack, sizeof(Sums))
extern "C" __global__ void __launch_bounds__(256) quantized_pack(const BlockPack p) {
  Sums* sums = shared_memory<Sums>(sizeof(Sums));
  const int feature = static_cast<int>(threadIdx.x) % kPanelFeatures;
  const int lane = static_cast<int>(threadIdx.x) / kPanelFeatures;
  const long row = static_cast<long>(blockIdx.x) * kPanelFeatures + feature;
  const long begin = blockIdx.y * p.group;
  const int inside = static_cast<int>(begin % p.block_size);
  const uint8_t* block = p.blocks + row * p.row_stride + begin / p.block_size * p.block_bytes;
  uint8_t* record = p.packed + (static_cast<long>(blockIdx.x) * gridDim.y + blockIdx.y) * p.record;
  const bool valid = row < p.n;
  const int each = 32 / p.bits, half = 1 << (p.bits - 1);
  const int offset = half - centre_of(p.kind), size = static_cast<int>(p.block_size);
  uint8_t* words = record + header_bytes(p.scales) + 4 * feature;
  int sum = 0;
  for (long word = lane; word * each < p.group; word += 8) {
    uint32_t codes = 0;
    for (int i = 0; i < each; i++) {
      const long element = word * each + i;
      int code = half;
      if (valid && element < p.group) {
        const int c = block_code(p.kind, block, size, inside + static_cast<int>(element));
        sum += c;
        code = c + offset;
      }
      codes |= static_cast<uint32_t>(code) << (8 * (i % 4) + i / 4 * 4);
    }
    store_word(words + word * kRowBytes, codes);
  }
  sums->sum[lane][feature] = sum;
  sync_block();
  if (lane == 0) {
    for (int other = 1; other < 8; other++) {
      sum += sums->sum[other][feature];
    }
    const BlockGroup group =
        valid ? block_group(p.kind, block, inside / static_cast<int>(p.group)) : BlockGroup{};
    write_header(p, record, feature, group, sum);
  }
}
