// The elements of each row in their order: by their keys' bytes, the lowest first, each time kept
// in the order that they had (least-significant-digit radix sort); of few elements by insertion.
#include "../numbers.h"
#include "../whole_numbers.h"

namespace gatun {
namespace GATUN_LEVEL {

namespace {

constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;
constexpr int64_t kFew = 32;
// Elements of a part of a long row, which threads share, and the rows that are so many that each
// has a thread of its own.
constexpr int64_t kPart = cut(1 << 16, 100), kMostParts = 64, kManyRows = 8;

// Numbers without a sign, in the order of the elements. Floats: 0 and -0 are one, what is no number
// is above all.
template <typename Bits>
Bits float_key(Bits bits, Bits infinity) {
  constexpr Bits kSign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  const Bits magnitude = static_cast<Bits>(bits & ~kSign);
  const Bits plain = magnitude == 0 ? Bits{0} : bits;
  const Bits rising = static_cast<Bits>(plain & kSign ? ~plain : plain | kSign);
  return magnitude > infinity ? static_cast<Bits>(~Bits{0}) : rising;
}

uint32_t key_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return float_key<uint32_t>(bits, 0x7f800000);
}
uint16_t key_of(Bf16 x) { return float_key<uint16_t>(x.bits, 0x7f80); }
uint16_t key_of(F16 x) { return float_key<uint16_t>(x.bits, 0x7c00); }
uint64_t key_of(int64_t x) {
  return static_cast<uint64_t>(x) ^ uint64_t { 1 } << 63;
}
uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000; }
uint8_t key_of(int8_t x) { return static_cast<uint8_t>(x ^ 0x80); }
uint8_t key_of(uint8_t x) { return x; }

template <typename T>
using KeyOf = decltype(key_of(T{}));

template <typename Key>
struct Entry {
  Key key;
  uint32_t place;
};

template <typename Key>
void insert(Entry<Key> *entries, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    const Entry<Key> next = entries[i];
    int64_t j = i;
    for (; j > 0 && next.key < entries[j - 1].key; j--) {
      entries[j] = entries[j - 1];
    }
    entries[j] = next;
  }
}

// Where a row is cut: part p begins at p * part.
struct Parts {
  int64_t count, part, parts;

  template <typename Body>
  void each(const Body &body) const {
    parallel(parts, [&](int64_t p) {
      const int64_t end = (p + 1) * part;
      body(p, p * part, end < count ? end : count);
    });
  }
};

// counts[parts][kDigits] becomes where each part's first element of each digit goes.
void begins(uint32_t *counts, const Parts &parts) {
  uint32_t before = 0;
  for (int d = 0; d < kDigits; d++) {
    for (int64_t p = 0; p < parts.parts; p++) {
      const uint32_t count = counts[p * kDigits + d];
      counts[p * kDigits + d] = before;
      before += count;
    }
  }
}

// Sorts entries by the digits in which their keys differ, by way of as much memory beside them;
// where they are then.
template <typename Key>
Entry<Key> *by_digits(Entry<Key> *entries, Entry<Key> *beside, Key differing, uint32_t *counts,
                      const Parts &parts) {
  for (int shift = 0; shift < static_cast<int>(8 * sizeof(Key)); shift += kDigitBits) {
    if ((static_cast<unsigned>(differing >> shift) & (kDigits - 1)) == 0) {
      continue;
    }
    const auto digit = [shift](const Entry<Key> &e) {
      return static_cast<unsigned>(e.key >> shift) & (kDigits - 1);
    };
    parts.each([&](int64_t p, int64_t begin, int64_t end) {
      uint32_t *own = counts + p * kDigits;
      __builtin_memset(own, 0, kDigits * sizeof *own);
      for (int64_t i = begin; i < end; i++) {
        own[digit(entries[i])]++;
      }
    });
    begins(counts, parts);
    parts.each([&](int64_t p, int64_t begin, int64_t end) {
      uint32_t *own = counts + p * kDigits;
      for (int64_t i = begin; i < end; i++) {
        beside[own[digit(entries[i])]++] = entries[i];
      }
    });
    std::swap(entries, beside);
  }
  return entries;
}

// x[rows][columns] with strides; values and indices [rows][k], either may be null.
template <typename T>
struct Rows {
  const T *x;
  int64_t row_stride, stride, columns, k;
  bool descending;
  T *values;
  int64_t *indices;

  // Whether there was memory for it.
  bool sort(int64_t row, int64_t part, Scratch &scratch) const {
    using Key = KeyOf<T>;
    const Parts parts = {columns, part, (columns + part - 1) / part};
    constexpr int64_t kWords = sizeof(Entry<Key>) / sizeof(float);
    float *memory = scratch.floats(2 * columns * kWords + parts.parts * kDigits);
    if (memory == nullptr) {
      return false;
    }
    Entry<Key> *entries = reinterpret_cast<Entry<Key> *>(memory);
    Entry<Key> *beside = entries + columns;
    const T *from = x + row * row_stride;
    const Key flip = static_cast<Key>(descending ? ~Key{0} : Key{0});
    // Bits in which a key is not the first one.
    const Key first = key_of(from[0]);
    std::atomic<Key> differing{0};
    parts.each([&](int64_t, int64_t begin, int64_t end) {
      Key differs = 0;
      for (int64_t i = begin; i < end; i++) {
        const Key key = key_of(from[i * stride]);
        differs = static_cast<Key>(differs | (key ^ first));
        entries[i] = {static_cast<Key>(key ^ flip), static_cast<uint32_t>(i)};
      }
      differing |= differs;
    });
    if (columns <= kFew) {
      insert(entries, columns);
    } else {
      uint32_t *counts = reinterpret_cast<uint32_t *>(beside + columns);
      entries = by_digits(entries, beside, differing.load(), counts, parts);
    }
    const Parts taken = {k, part, (k + part - 1) / part};
    taken.each([&](int64_t, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t place = entries[i].place;
        if (values != nullptr) {
          values[row * k + i] = from[place * stride];
        }
        if (indices != nullptr) {
          indices[row * k + i] = place;
        }
      }
    });
    return true;
  }

  bool sort_all(int64_t rows) const {
    if (rows < kManyRows && columns > kPart) {
      const int64_t even = (columns + kMostParts - 1) / kMostParts;
      Scratch scratch;
      for (int64_t r = 0; r < rows; r++) {
        if (!sort(r, even < kPart ? kPart : even, scratch)) {
          return false;
        }
      }
      return true;
    }
    std::atomic<bool> failed{false};
    // An element is read and written many times.
    parallel_rows(rows, 16 * columns, [&](int64_t begin, int64_t end) {
      Scratch scratch;
      for (int64_t r = begin; r < end; r++) {
        if (!sort(r, columns, scratch)) {
          failed = true;
          return;
        }
      }
    });
    return !failed.load();
  }
};

template <typename Body>
bool by_any_dtype(int32_t dtype, const Body &body) {
  if (is_dtype(dtype)) {
    by_dtype(dtype, body);
    return true;
  }
  return by_whole_dtype(dtype, body);
}

}  // namespace

int32_t sort(const void *x, int64_t row_stride, int64_t stride, int32_t dtype, int64_t rows,
             int64_t columns, int64_t k, int32_t descending, void *values, int64_t *indices) {
  if (rows < 0 || columns < 0 || columns > INT32_MAX || k < 0 || k > columns) {
    return GATUN_INVALID_ARGUMENT;
  }
  bool done = true;
  const bool known = by_any_dtype(dtype, [&](auto number) {
    using T = decltype(number);
    const Rows<T> all = {static_cast<const T *>(x), row_stride, stride, columns, k, descending != 0,
                         static_cast<T *>(values),  indices};
    done = k == 0 || all.sort_all(rows);
  });
  return !known ? GATUN_INVALID_ARGUMENT : done ? GATUN_OK : GATUN_OUT_OF_MEMORY;
}

}  // namespace GATUN_LEVEL
}  // namespace gatun
