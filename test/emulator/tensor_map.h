// What the emulated cuTensorMapEncodeTiled makes.
#ifndef GATUN_EMULATOR_TENSOR_MAP_H
#define GATUN_EMULATOR_TENSOR_MAP_H

#include <cstdint>
#include <string>

namespace gatun {
namespace emulator {

struct EncodedMap {
  uint32_t magic;
  uint8_t rank, element_bytes, swizzle_bytes, unused;  // swizzle_bytes: 0, 32, 64 or 128.
  uint64_t address;
  uint32_t size[5];  // Of a tensor's axes, innermost first.
  uint16_t box[5];
  uint16_t more_unused[3];
  uint64_t stride[4];  // Bytes, of the axes after the innermost.
};
static_assert(sizeof(EncodedMap) <= 128, "a CUtensorMap has 128 bytes");

constexpr uint32_t kMapMagic = 0x50414d54;

// The limits of the driver's documentation; what is wrong, or nothing.
std::string encode_map(void* to, int type, uint32_t rank, const void* address,
                       const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                       const uint32_t* element_strides, int interleave, int swizzle, int promotion,
                       int fill);

}  // namespace emulator
}  // namespace gatun

#endif
