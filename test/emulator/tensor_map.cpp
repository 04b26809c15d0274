#include "tensor_map.h"

#include <cstring>

namespace gatun {
namespace emulator {

namespace {

// Bytes of an element of each CUtensorMapDataType.
constexpr int kElementBytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};

}  // namespace

std::string encode_map(void* to, int type, uint32_t rank, const void* address,
                       const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                       const uint32_t* element_strides, int interleave, int swizzle, int promotion,
                       int fill) {
  const auto text = [](auto number) { return std::to_string(number); };
  if (reinterpret_cast<uintptr_t>(to) % 64 != 0) {
    return "the map is not aligned to 64 bytes";
  }
  if (type < 0 || type >= static_cast<int>(sizeof kElementBytes / sizeof *kElementBytes)) {
    return "data type " + text(type);
  }
  if (rank < 1 || rank > 5) {
    return "rank " + text(rank) + ", expected 1 to 5";
  }
  if (interleave != 0 || fill != 0) {
    return "interleaved maps and maps that fill with NaN are not emulated";
  }
  if (swizzle < 0 || swizzle > 3 || promotion < 0 || promotion > 3) {
    return "swizzle " + text(swizzle) + ", promotion " + text(promotion) + ", expected 0 to 3";
  }
  if (reinterpret_cast<uintptr_t>(address) % 16 != 0) {
    return "the tensor is not aligned to 16 bytes";
  }
  EncodedMap map = {};
  map.magic = kMapMagic;
  map.rank = static_cast<uint8_t>(rank);
  map.element_bytes = static_cast<uint8_t>(kElementBytes[type]);
  map.swizzle_bytes = static_cast<uint8_t>(swizzle == 0 ? 0 : 16 << swizzle);
  map.address = reinterpret_cast<uint64_t>(address);
  for (uint32_t i = 0; i < rank; i++) {
    if (sizes[i] == 0 || sizes[i] > (uint64_t{1} << 32)) {
      return "axis " + text(i) + " has " + text(sizes[i]) + " elements, expected 1 to 2^32";
    }
    if (box[i] == 0 || box[i] > 256) {
      return "the box has " + text(box[i]) + " along axis " + text(i) + ", expected 1 to 256";
    }
    if (element_strides[i] != 1) {
      return "element strides other than 1 are not emulated";
    }
    if (i > 0 && (strides[i - 1] % 16 != 0 || strides[i - 1] >= uint64_t{1} << 40)) {
      return "the stride of axis " + text(i) + " is " + text(strides[i - 1]) +
             " bytes, expected a multiple of 16 below 2^40";
    }
    // As the driver's page has it of the strides behind the first.
    if (i > 1 && strides[i - 1] < sizes[i - 1]) {
      return "the stride of axis " + text(i) + " is " + text(strides[i - 1]) +
             " bytes, expected at least the " + text(sizes[i - 1]) + " elements of axis " +
             text(i - 1);
    }
    map.size[i] = sizes[i] > 0xffffffff ? 0xffffffff : static_cast<uint32_t>(sizes[i]);
    map.box[i] = static_cast<uint16_t>(box[i]);
    if (i > 0) {
      map.stride[i - 1] = strides[i - 1];
    }
  }
  const uint32_t inner = box[0] * map.element_bytes;
  if (inner % 16 != 0) {
    return "the box's inner axis has " + text(inner) + " bytes, expected a multiple of 16";
  }
  if (swizzle != 0 && inner > map.swizzle_bytes) {
    return "the box's inner axis has " + text(inner) + " bytes, the swizzle allows " +
           text(static_cast<int>(map.swizzle_bytes));
  }
  std::memset(to, 0, 128);
  std::memcpy(to, &map, sizeof map);
  return "";
}

}  // namespace emulator
}  // namespace gatun
