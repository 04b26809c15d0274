// Checks of what only memory can tell: numbers that kernels take as indices.
#include "../level.h"

namespace gatun {
namespace GATUN_LEVEL {

int32_t check_indices(const int64_t *ids, int64_t count, int64_t limit, int32_t has_exception,
                      int64_t exception) {
  for (int64_t i = 0; i < count; i++) {
    if ((ids[i] < 0 || ids[i] >= limit) && (has_exception == 0 || ids[i] != exception)) {
      return GATUN_OUT_OF_RANGE;
    }
  }
  return GATUN_OK;
}

int32_t check_places(const int32_t *places, int64_t count, int32_t least, int64_t limit) {
  for (int64_t i = 0; i < count; i++) {
    if (places[i] < least || places[i] >= limit) {
      return GATUN_OUT_OF_RANGE;
    }
  }
  return GATUN_OK;
}

int32_t check_distinct(const int64_t *ids, int64_t count, int64_t exception) {
  // A table of what was seen, at most half full; the exception stands for nothing.
  int64_t room = 16;
  while (room < 2 * count) {
    room *= 2;
  }
  const int64_t bytes = room * static_cast<int64_t>(sizeof(int64_t));
  int64_t *seen = static_cast<int64_t *>(gatun_allocate(bytes));
  if (seen == nullptr) {
    return GATUN_OUT_OF_MEMORY;
  }
  for (int64_t i = 0; i < room; i++) {
    seen[i] = exception;
  }
  const uint64_t last = static_cast<uint64_t>(room) - 1;
  int32_t status = GATUN_OK;
  for (int64_t i = 0; i < count && status == GATUN_OK; i++) {
    if (ids[i] == exception) {
      continue;
    }
    uint64_t at = static_cast<uint64_t>(ids[i]) * 0x9e3779b97f4a7c15u;
    at = (at ^ at >> 32) & last;
    while (seen[at] != exception && seen[at] != ids[i]) {
      at = (at + 1) & last;
    }
    status = seen[at] == ids[i] ? GATUN_OUT_OF_RANGE : GATUN_OK;
    seen[at] = ids[i];
  }
  gatun_free(seen);
  return status;
}

int32_t check_offsets(const int32_t *offsets, int64_t sequences, int64_t tokens, int64_t longest,
                      int32_t all) {
  if (offsets[0] != 0) {
    return GATUN_OUT_OF_RANGE;
  }
  for (int64_t i = 0; i < sequences; i++) {
    const int64_t length = static_cast<int64_t>(offsets[i + 1]) - offsets[i];
    if (length < 0 || length > longest || offsets[i + 1] > tokens) {
      return GATUN_OUT_OF_RANGE;
    }
  }
  return all != 0 && offsets[sequences] != tokens ? GATUN_OUT_OF_RANGE : GATUN_OK;
}

int32_t check_pages(const int32_t *table, int64_t stride, const int32_t *lengths, int64_t batch,
                    int64_t page_size, int64_t pages) {
  for (int64_t b = 0; b < batch; b++) {
    const int64_t count = (lengths[b] + page_size - 1) / page_size;
    if (check_places(table + b * stride, count, 0, pages) != GATUN_OK) {
      return GATUN_OUT_OF_RANGE;
    }
  }
  return GATUN_OK;
}

int32_t check_groups(const int32_t *offsets, int64_t experts, int64_t places, const int32_t *rows,
                     int64_t limit) {
  const int32_t status = check_offsets(offsets, experts, places, places, 0);
  return status != GATUN_OK || rows == nullptr ? status
                                               : check_places(rows, offsets[experts], 0, limit);
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
