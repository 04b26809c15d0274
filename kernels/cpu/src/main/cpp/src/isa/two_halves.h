// For levels to which two vectors of numbers of bf16 are twice one.
#ifndef GATUN_ISA_TWO_HALVES_H
#define GATUN_ISA_TWO_HALVES_H

namespace gatun {
namespace GATUN_LEVEL {

static inline void store_bf16(uint16_t *p, Floats lo, Floats hi) {
  store_halves(p, to_bf16(lo));
  store_halves(p + kLanes, to_bf16(hi));
}
static inline void stream_bf16(uint16_t *p, Floats lo, Floats hi) {
  stream(p, to_bf16(lo));
  stream(p + kLanes, to_bf16(hi));
}
static inline void load_bf16(const uint16_t *p, Floats &lo, Floats &hi) {
  lo = (Floats)(widen(load_halves(p)) << 16);
  hi = (Floats)(widen(load_halves(p + kLanes)) << 16);
}
static inline void take_bf16(const uint16_t *p, Floats &lo, Floats &hi) { load_bf16(p, lo, hi); }
static inline void give_bf16(uint16_t *p, Floats lo, Floats hi) { store_bf16(p, lo, hi); }
static inline void give_stream_bf16(uint16_t *p, Floats lo, Floats hi) { stream_bf16(p, lo, hi); }

}  // namespace GATUN_LEVEL
}  // namespace gatun

#endif
