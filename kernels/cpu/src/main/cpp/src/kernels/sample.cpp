// An element of each row that is drawn, all in whole numbers; see the record Sample.
#include "../largest.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

// An element that may be drawn.
struct Candidate {
  uint32_t order;  // of its score
  uint32_t place;
  uint64_t weight;
};

// e^difference in 2^-40, for numbers that are not above 0.
uint64_t weight_of(double difference) {
  constexpr uint64_t kPower[] = {1073741824, 744261118, 257941225, 59597438,
                                 10325273,   1437639,   156870,    22261};
  const double power = difference * 1.4426950408889634;
  if (power <= -41) {
    return 0;
  }
  const int64_t fixed = static_cast<int64_t>(__builtin_floor(power * 4294967296.0));
  const uint64_t fraction = static_cast<uint64_t>(fixed) & UINT32_MAX;
  uint64_t sum = kPower[7];
  for (int i = 6; i >= 0; i--) {
    sum = kPower[i] + (sum * fraction >> 32);
  }
  return sum << 10 >> -(fixed >> 32);
}

uint64_t share_of(uint64_t sum, uint64_t share) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(sum) * share >> 64);
}

uint64_t sum_of(const Candidate *all, int64_t count) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    sum += all[i].weight;
  }
  return sum;
}

// Takes the weights of the least elements, of equal ones the first, that do not exceed `most`
// together.
void leave_out(Candidate *all, int64_t count, uint64_t most) {
  uint32_t order = 0, known = 0;  // of the element that exceeds it
  uint64_t below = 0;
  for (int shift = 24; shift >= 0; shift -= 8) {
    uint64_t sums[256] = {};
    for (int64_t i = 0; i < count; i++) {
      if (((all[i].order ^ order) & known) == 0) {
        sums[all[i].order >> shift & 255] += all[i].weight;
      }
    }
    uint32_t digit = 0;
    for (; digit < 255 && below + sums[digit] <= most; digit++) {
      below += sums[digit];
    }
    order |= digit << shift;
    known |= 255u << shift;
  }
  for (int64_t i = 0; i < count; i++) {
    const bool left = all[i].order == order && below + all[i].weight <= most;
    below += left ? all[i].weight : 0;
    all[i].weight = left || all[i].order < order ? 0 : all[i].weight;
  }
}

// -1 where there is none, -2 without memory.
int64_t draw(const float *x, int64_t columns, float temperature, const int64_t *settings) {
  static thread_local Scratch ranked, kept;
  const int64_t first = argmax_row(x, columns);
  if (!(x[first] > -__builtin_inff())) {
    return -1;
  }
  if (temperature == 0) {
    return first;
  }
  float least = -__builtin_inff();
  if (settings[0] > 0 && settings[0] <= columns) {
    uint64_t *ranks = reinterpret_cast<uint64_t *>(ranked.floats(2 * settings[0]));
    if (ranks == nullptr) {
      return -2;
    }
    topk_row(x, columns, ranks, settings[0]);
    least = x[index_of(ranks[settings[0] - 1])] / temperature;
  }
  Candidate *all = reinterpret_cast<Candidate *>(kept.floats(4 * columns));
  if (all == nullptr) {
    return -2;
  }
  const float most = x[first] / temperature;
  int64_t count = 0;
  for (int64_t i = 0; i < columns; i++) {
    const float score = x[i] / temperature;
    // Weights are 0 from there on.
    if (score < least || score - most < -28.5f) {
      continue;
    }
    const uint64_t weight =
        weight_of(score == most ? 0 : static_cast<double>(score) - static_cast<double>(most));
    all[count] = {static_cast<uint32_t>(rank(score, 0) >> 32), static_cast<uint32_t>(i), weight};
    count += weight > 0;
  }
  if (settings[1] != 0) {
    leave_out(all, count, share_of(sum_of(all, count), static_cast<uint64_t>(settings[1])));
  }
  for (int64_t i = 0; i < count; i++) {
    all[i].weight = all[i].weight < static_cast<uint64_t>(settings[2]) ? 0 : all[i].weight;
  }
  const uint64_t drawn = share_of(sum_of(all, count), static_cast<uint64_t>(settings[3]));
  int64_t at = 0;
  for (uint64_t sum = all[0].weight; sum <= drawn; sum += all[at].weight) {
    at++;
  }
  return all[at].place;
}

}  // namespace

int32_t sample(const float *x, int64_t x_stride, int64_t rows, int64_t columns,
               const float *temperature, const int64_t *settings, int64_t *y) {
  if (rows < 0 || columns < 1 || columns > 1 << 22) {
    return GATUN_INVALID_ARGUMENT;
  }
  std::atomic<bool> failed{false};
  parallel_rows(rows, columns, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      y[r] = draw(x + r * x_stride, columns, temperature[r], settings + 4 * r);
      if (y[r] == -2) {
        failed = true;
      }
    }
  });
  return failed.load() ? GATUN_OUT_OF_MEMORY : GATUN_OK;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
