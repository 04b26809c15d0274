// The tiles of products with codes by mma: bits of a weight's code, tokens of a block, its warps
// along the input features and along the tokens beside four panels of output features, input
// features of a stage, and stages. kernels.list has each kernel's for whoever launches it.
#ifndef GATUN_QUANTIZED_TILE_SHAPES_H
#define GATUN_QUANTIZED_TILE_SHAPES_H

namespace gatun {

struct W4M8 {
  static constexpr int kBits = 4, kTokens = 8, kWarpsK = 2, kWarpsM = 1, kDepth = 128, kStages = 4;
};
struct W4M16 {
  static constexpr int kBits = 4, kTokens = 16, kWarpsK = 2, kWarpsM = 1, kDepth = 128, kStages = 4;
};
struct W4M64 {
  static constexpr int kBits = 4, kTokens = 64, kWarpsK = 1, kWarpsM = 2, kDepth = 64, kStages = 4;
};
struct W4M128 {
  static constexpr int kBits = 4, kTokens = 128, kWarpsK = 1, kWarpsM = 2, kDepth = 64, kStages = 4;
};
struct W8M8 {
  static constexpr int kBits = 8, kTokens = 8, kWarpsK = 2, kWarpsM = 1, kDepth = 64, kStages = 4;
};
struct W8M16 {
  static constexpr int kBits = 8, kTokens = 16, kWarpsK = 2, kWarpsM = 1, kDepth = 64, kStages = 4;
};
struct W8M64 {
  static constexpr int kBits = 8, kTokens = 64, kWarpsK = 1, kWarpsM = 2, kDepth = 64, kStages = 4;
};
struct W8M128 {
  static constexpr int kBits = 8, kTokens = 128, kWarpsK = 1, kWarpsM = 2, kDepth = 64, kStages = 4;
};
// Four stages of 128 tokens of 16 bits are more than the 99 KB of compute capability 8.6 to 12.
struct W8A16M128 : W8M128 {
  static constexpr int kStages = 3;
};

// Of warpgroups.
struct W4M64Sm90a {
  static constexpr int kBits = 4, kTokens = 64;
};
struct W4M128Sm90a {
  static constexpr int kBits = 4, kTokens = 128;
};
struct W8M64Sm90a {
  static constexpr int kBits = 8, kTokens = 64;
};
struct W8M128Sm90a {
  static constexpr int kBits = 8, kTokens = 128;
};

// What x is of.
struct Bf16 {
  static constexpr bool kIsBf16 = true;
};
struct F16 {
  static constexpr bool kIsBf16 = false;
};

}  // namespace gatun

#endif
