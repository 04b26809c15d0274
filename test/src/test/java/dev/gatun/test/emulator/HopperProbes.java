package dev.gatun.test.emulator;

import dev.gatun.bindings.cuda.CudaTensorMap.Element;
import dev.gatun.test.emulator.Probe.Expected;
import dev.gatun.test.emulator.Probe.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What the primitives of {@code cuda-src/include/primitives_sm90.h} do, after the PTX ISA 9.0
 * ({@code wgmma.mma_async}: register fragments, matrix descriptor format, canonical layouts; {@code
 * cp.async.bulk.tensor}: swizzling modes), written without a look at the emulator.
 */
final class HopperProbes {
  private static final int THREADS = 128;
  private static final int HEADER = 16;
  private static final int IMAGE_BYTES = 48 << 10;
  private static final int B_START = 16 << 10;

  /** Bytes of a swizzle by its code in a matrix descriptor. */
  private static final int[] SWIZZLES = {0, 128, 64, 32};

  private enum Kind {
    BF16,
    F16,
    S8;

    int bytes() {
      return this == S8 ? 1 : 2;
    }

    int depth() {
      return 32 / bytes();
    }

    /** A small integer's bits. */
    int bits(int number) {
      return switch (this) {
        case BF16 -> Float.floatToRawIntBits(number) >>> 16;
        case F16 -> Float.floatToFloat16(number) & 0xffff;
        case S8 -> number & 0xff;
      };
    }

    double number(int bits) {
      return switch (this) {
        case BF16 -> Float.intBitsToFloat(bits << 16);
        case F16 -> Float.float16ToFloat((short) bits);
        case S8 -> (byte) bits;
      };
    }
  }

  /** A matrix descriptor's fields. */
  private record Matrix(int start, int leading, int stride, int code, boolean transposed) {
    /** The byte of shared memory where an element's bytes begin; row is m or n. */
    int place(int row, int k, int bytes) {
      int width = SWIZZLES[code];
      int at = start;
      if (!transposed && width == 0) {
        at += row / 8 * stride + row % 8 * 16 + k * bytes / 16 * leading + k * bytes % 16;
      } else if (!transposed) {
        at += row / 8 * stride + row % 8 * width + k * bytes;
      } else if (width == 0) {
        at += row / 8 * stride + row % 8 * bytes + k / 8 * leading + k % 8 * 16;
      } else {
        int chunk = width / bytes;
        at += row / chunk * leading + row % chunk * bytes + k / 8 * stride + k % 8 * width;
      }
      return swizzled(at, width);
    }

    int[] words() {
      return new int[] {start, leading, stride, code};
    }
  }

  private HopperProbes() {}

  private static int swizzled(int address, int width) {
    return width == 0 ? address : address ^ (address / 128 % (width / 16)) * 16;
  }

  static List<Probe> all() {
    List<Probe> all = new ArrayList<>();
    Random random = new Random(20261126);
    for (int code = 0; code < 4; code++) {
      for (Kind kind : Kind.values()) {
        String name = "wgmma_" + kind.name().toLowerCase(Locale.ROOT);
        int n = kind == Kind.S8 ? 256 : 64;
        all.add(
            product(
                random, name + "_" + n, kind, n, alongK(code, 0, 64), alongK(code, B_START, n)));
        all.add(product(random, name + "_registers_64", kind, 64, null, alongK(code, B_START, 64)));
        all.add(product(random, name + "_128", kind, 128, null, alongK(code, B_START, 128)));
        if (kind != Kind.S8) {
          int width = kind == Kind.BF16 ? 128 : 64;
          all.add(
              product(random, name + "_transposed_" + width, kind, width, null, alongRows(code)));
        }
      }
    }
    boxes(all, random);
    int[] words = random.ints(256).toArray();
    int[] handed = new int[384];
    for (int i = 0; i < 128; i++) {
      handed[i] = words[127 - i];
      handed[128 + i] = words[255 - i];
      handed[256 + i] = words[i] + 1;
    }
    all.add(new Probe("handover", "probe_handover", 256, words, Expected.bits(handed)));
    return all;
  }

  /**
   * Rows along k, the last part of a swizzled row where it has several; else units of eight rows.
   */
  private static Matrix alongK(int code, int start, int rows) {
    int width = SWIZZLES[code];
    return width == 0
        ? new Matrix(start, rows * 16, 128, code, false)
        : new Matrix(start + width - 32, 0, 8 * width, code, false);
  }

  /** Rows along n, 16 of them. */
  private static Matrix alongRows(int code) {
    int width = SWIZZLES[code];
    return width == 0
        ? new Matrix(B_START, 128, 256, code, true)
        : new Matrix(B_START, 16 * width, 8 * width, code, true);
  }

  /** Products of small integers, which are exact; a is in registers where its matrix is null. */
  private static Probe product(Random random, String name, Kind kind, int n, Matrix a, Matrix b) {
    int bytes = kind.bytes();
    int depth = kind.depth();
    int elements = 4 / bytes;
    int[] image = new int[IMAGE_BYTES / 4];
    int[] fragments = new int[4 * THREADS];
    for (int[] words : new int[][] {image, fragments}) {
      for (int i = 0; i < words.length; i++) {
        for (int e = 0; e < elements; e++) {
          words[i] |= kind.bits(random.nextInt(-64, 65)) << 8 * bytes * e;
        }
      }
    }
    boolean add = random.nextBoolean();
    double[] sums = new double[n / 2 * THREADS];
    int[] added = new int[sums.length];
    for (int i = 0; i < sums.length; i++) {
      int number = random.nextInt(-1000, 1000);
      added[i] = kind == Kind.S8 ? number : Float.floatToRawIntBits(number);
      sums[i] = add ? number : 0;
    }
    double[][] left = new double[64][depth];
    for (int row = 0; row < 64; row++) {
      for (int k = 0; k < depth; k++) {
        left[row][k] =
            kind.number(
                a == null
                    ? fragment(fragments, kind, row, k)
                    : bits(image, a.place(row, k, bytes), bytes));
      }
    }
    for (int thread = 0; thread < THREADS; thread++) {
      for (int i = 0; i < n / 2; i++) {
        // Accumulator fragment: rows of a warp, then pairs of columns a quarter of lanes.
        int row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2);
        int column = 8 * (i / 4) + 2 * (thread % 4) + i % 2;
        for (int k = 0; k < depth; k++) {
          sums[i * THREADS + thread] +=
              left[row][k] * kind.number(bits(image, b.place(column, k, bytes), bytes));
        }
      }
    }
    int[] header = new int[HEADER];
    System.arraycopy((a == null ? b : a).words(), 0, header, 0, 4);
    System.arraycopy(b.words(), 0, header, 4, 4);
    header[8] = add ? 1 : 0;
    int[] input = join(header, fragments, added, image);
    Expected expected =
        kind == Kind.S8
            ? Expected.bits(Arrays.stream(sums).mapToInt(s -> (int) s).toArray())
            : Expected.within(sums, new double[sums.length]);
    return new Probe(name + "_" + SWIZZLES[b.code()], "probe_" + name, THREADS, input, expected);
  }

  private static int bits(int[] words, int place, int bytes) {
    int word = words[place / 4] >>> 8 * (place % 4);
    return bytes == 1 ? word & 0xff : word & 0xffff;
  }

  /** An element of a in registers: of m64k16 pairs, of m64k32 four bytes a register. */
  private static int fragment(int[] fragments, Kind kind, int row, int k) {
    int perWord = 4 / kind.bytes();
    int word = k / perWord;
    int thread = 32 * (row / 16) + row % 8 * 4 + word % 4;
    int register = row % 16 / 8 + 2 * (word / 4);
    return bits(
        fragments, (register * THREADS + thread) * 4 + k % perWord * kind.bytes(), kind.bytes());
  }

  private static void boxes(List<Probe> all, Random random) {
    Tensor plane = tensor(Element.BF16, 128, new long[] {40, 30}, new long[] {96}, 64, 16);
    Tensor narrow = tensor(Element.BF16, 64, new long[] {100, 9}, new long[] {208}, 32, 8);
    Tensor plain = tensor(Element.U8, 0, new long[] {50, 7}, new long[] {64}, 48, 5);
    Tensor words = tensor(Element.U32, 0, new long[] {300, 9}, new long[] {1232}, 128, 8);
    Tensor bytes = tensor(Element.U8, 32, new long[] {64, 5, 9}, new long[] {80, 400}, 32, 2, 4);
    Tensor heads =
        tensor(
            Element.BF16,
            128,
            new long[] {72, 3, 20, 2},
            new long[] {160, 480, 9600},
            64,
            1,
            16,
            1);
    all.add(load(random, "2d", plane, -8, 20));
    all.add(load(random, "2d_64", narrow, 80, 3));
    all.add(load(random, "2d_0", plain, 16, -2));
    all.add(load(random, "2d_words", words, 200, 3));
    all.add(load(random, "3d", bytes, 16, 4, -1));
    all.add(load(random, "4d", heads, 64, 2, 10, 1));
    all.add(store(random, "2d", plane, 8, 20));
    all.add(store(random, "3d", bytes, 16, 4, 3));
    all.add(store(random, "4d", heads, 64, 2, 10, 1));
  }

  private static Tensor tensor(
      Element element, int swizzle, long[] sizes, long[] strides, int... box) {
    return new Tensor(element, sizes, strides, box, swizzle, false);
  }

  private interface Visit {
    void unit(int shared, int tensor);
  }

  /** Each byte of a box: where it lies in shared memory, and in the tensor or -1. */
  private static void each(Tensor t, int[] place, Visit visit) {
    int element = elementBytes(t);
    int count = Arrays.stream(t.box()).reduce(1, (x, y) -> x * y);
    for (int i = 0; i < count; i++) {
      int rest = i;
      long at = 0;
      boolean inside = true;
      for (int axis = 0; axis < t.box().length; axis++) {
        long index = place[axis] + rest % t.box()[axis];
        rest /= t.box()[axis];
        inside &= index >= 0 && index < t.sizes()[axis];
        at += index * (axis == 0 ? element : t.strides()[axis - 1]);
      }
      for (int b = 0; b < element; b++) {
        visit.unit(swizzled(i * element + b, t.swizzle()), inside ? (int) at + b : -1);
      }
    }
  }

  private static int elementBytes(Tensor t) {
    return switch (t.element()) {
      case U8 -> 1;
      case F16, BF16 -> 2;
      case U32, F32 -> 4;
    };
  }

  private static int boxBytes(Tensor t) {
    return Arrays.stream(t.box()).reduce(elementBytes(t), (x, y) -> x * y);
  }

  private static int tensorWords(Tensor t) {
    int last = t.sizes().length - 1;
    return (int) (t.sizes()[last] * t.strides()[last - 1]) / 4;
  }

  private static void put(int[] words, int place, int value) {
    words[place / 4] &= ~(0xff << 8 * (place % 4));
    words[place / 4] |= value << 8 * (place % 4);
  }

  private static int[] header(int[] place, Tensor t) {
    int[] header = Arrays.copyOf(place, HEADER);
    header[4] = boxBytes(t);
    return header;
  }

  private static Probe load(Random random, String name, Tensor t, int... place) {
    int[] tensor = random.ints(tensorWords(t)).toArray();
    int[] output = new int[boxBytes(t) / 4];
    each(t, place, (to, from) -> put(output, to, from < 0 ? 0 : bits(tensor, from, 1)));
    String kernel = "probe_tensor_load_" + name.substring(0, 2);
    int[] input = join(header(place, t), tensor);
    return new Probe("tensor_load_" + name, kernel, THREADS, input, Expected.bits(output), t);
  }

  private static Probe store(Random random, String name, Tensor t, int... place) {
    int[] tile = random.ints(boxBytes(t) / 4).toArray();
    int[] output = new int[tensorWords(t)];
    Arrays.fill(output, -1);
    each(
        t,
        place,
        (from, to) -> {
          if (to >= 0) {
            put(output, to, bits(tile, from, 1));
          }
        });
    Tensor there = new Tensor(t.element(), t.sizes(), t.strides(), t.box(), t.swizzle(), true);
    String kernel = "probe_tensor_store_" + name;
    int[] input = join(header(place, t), tile);
    return new Probe("tensor_store_" + name, kernel, THREADS, input, Expected.bits(output), there);
  }

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }
}
