package dev.gatun.kernels.api.memory;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a row of a weight is quantised: blocks of neighbouring input features, each with its scale.
 * An element is {@code scale * code}, {@code scale * (code - zero)} or {@code scale * code + min}.
 *
 * <p>{@code INT8} and {@code INT4} are Gatun's own and round to nearest even:
 *
 * <ul>
 *   <li>{@code INT8}: F32 scale, then the codes -127 to 127, a signed byte each; a block may be the
 *       whole row, one scale an output feature
 *   <li>{@code INT8_ZERO}: F32 scale, a whole number of two bytes with the zero point 0 to 255,
 *       then the codes 0 to 255, a byte each
 *   <li>{@code INT4}: F16 scale, then the codes -8 to 7, stored plus 8: byte i holds element i in
 *       its low half and element {@code i + size / 2} in its high half
 *   <li>{@code INT4_ZERO}: F16 scale, a byte with the zero point 0 to 15, then the codes 0 to 15 in
 *       the same order
 * </ul>
 *
 * Blocks made of codes that another quantiser chose may have codes of INT8 of -128 and zero points
 * 16 and 256.
 *
 * <p>The others are GGML's, to the byte as a GGUF file has them.
 */
public final class BlockFormat {
  /** What kind of block. */
  public enum Kind {
    /** F32 scale, codes of a signed byte. */
    INT8,
    /** F32 scale, zero point, codes of a byte. */
    INT8_ZERO,
    /** F16 scale, codes of 4 bits about 8. */
    INT4,
    /** F16 scale, zero point, codes of 4 bits. */
    INT4_ZERO,
    /** GGML's of 32: F16 scale, codes of 4 bits about 8. */
    Q4_0,
    /** GGML's of 32: F16 scale and least value, codes of 4 bits. */
    Q4_1,
    /** GGML's of 32: F16 scale, codes of 5 bits about 16. */
    Q5_0,
    /** GGML's of 32: F16 scale and least value, codes of 5 bits. */
    Q5_1,
    /** GGML's of 32: F16 scale, codes of a signed byte. */
    Q8_0,
    /** GGML's of 256: eight groups with scale and least value of 6 bits, codes of 4 bits. */
    Q4_K,
    /** GGML's of 256: eight groups with scale and least value of 6 bits, codes of 5 bits. */
    Q5_K,
    /** GGML's of 256: sixteen groups with scales of a byte, codes of 6 bits. */
    Q6_K,
    /** GGML's of 256: sixteen groups with scale and least value of 4 bits, codes of 2 bits. */
    Q2_K,
    /** GGML's of 256: sixteen groups with scales of 6 bits, codes of 3 bits about 4. */
    Q3_K,
    /** GGML's of 32: F16 scale, each code of 4 bits one of sixteen uneven steps. */
    IQ4_NL,
    /** GGML's of 256: eight groups with scales of 6 bits, the same steps. */
    IQ4_XS,
    /** The MX format of 32: a power of two as the scale, elements of 4 bits with an exponent. */
    MXFP4
  }

  /** {@link Kind#Q4_0}. */
  public static final BlockFormat Q4_0 = new BlockFormat(Kind.Q4_0, 32);

  /** {@link Kind#Q4_1}. */
  public static final BlockFormat Q4_1 = new BlockFormat(Kind.Q4_1, 32);

  /** {@link Kind#Q5_0}. */
  public static final BlockFormat Q5_0 = new BlockFormat(Kind.Q5_0, 32);

  /** {@link Kind#Q5_1}. */
  public static final BlockFormat Q5_1 = new BlockFormat(Kind.Q5_1, 32);

  /** {@link Kind#Q8_0}. */
  public static final BlockFormat Q8_0 = new BlockFormat(Kind.Q8_0, 32);

  /** {@link Kind#Q4_K}. */
  public static final BlockFormat Q4_K = new BlockFormat(Kind.Q4_K, 256);

  /** {@link Kind#Q5_K}. */
  public static final BlockFormat Q5_K = new BlockFormat(Kind.Q5_K, 256);

  /** {@link Kind#Q6_K}. */
  public static final BlockFormat Q6_K = new BlockFormat(Kind.Q6_K, 256);

  /** {@link Kind#Q2_K}. */
  public static final BlockFormat Q2_K = new BlockFormat(Kind.Q2_K, 256);

  /** {@link Kind#Q3_K}. */
  public static final BlockFormat Q3_K = new BlockFormat(Kind.Q3_K, 256);

  /** {@link Kind#IQ4_NL}. */
  public static final BlockFormat IQ4_NL = new BlockFormat(Kind.IQ4_NL, 32);

  /** {@link Kind#IQ4_XS}. */
  public static final BlockFormat IQ4_XS = new BlockFormat(Kind.IQ4_XS, 256);

  /** {@link Kind#MXFP4}. */
  public static final BlockFormat MXFP4 = new BlockFormat(Kind.MXFP4, 32);

  /** INT8 with one scale an output feature. */
  public static final BlockFormat INT8 = new BlockFormat(Kind.INT8, 0);

  /** GGML's formats, by their names. */
  public static final List<BlockFormat> GGML =
      List.of(Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4);

  private static final List<Integer> GROUPS = List.of(32, 64, 128);

  // Of 16 for weights whose scales are as close.
  private static final List<Integer> INT8_GROUPS = List.of(16, 32, 64, 128);

  private final Kind kind;
  private final int group;

  private BlockFormat(Kind kind, int group) {
    this.kind = kind;
    this.group = group;
  }

  /**
   * {@return INT8 in groups}
   *
   * @param group input features that share a scale: 16, 32, 64 or 128
   */
  public static BlockFormat int8(int group) {
    return new BlockFormat(Kind.INT8, checked("INT8", group, INT8_GROUPS));
  }

  /**
   * {@return INT8 with a zero point a group}
   *
   * @param group input features that share a scale and a zero point: 32, 64 or 128
   */
  public static BlockFormat int8WithZeros(int group) {
    return new BlockFormat(Kind.INT8_ZERO, checked("INT8_ZERO", group, GROUPS));
  }

  /**
   * {@return INT4 about zero}
   *
   * @param group input features that share a scale: 32, 64 or 128
   */
  public static BlockFormat int4(int group) {
    return new BlockFormat(Kind.INT4, checked("INT4", group, GROUPS));
  }

  /**
   * {@return INT4 with a zero point a group}
   *
   * @param group input features that share a scale and a zero point: 32, 64 or 128
   */
  public static BlockFormat int4WithZeros(int group) {
    return new BlockFormat(Kind.INT4_ZERO, checked("INT4_ZERO", group, GROUPS));
  }

  /**
   * {@return the format of a name, as {@link #toString} gives it: {@code INT8}, {@code INT4:64},
   * {@code Q4_K}}
   *
   * @param name as {@link #toString} gives it
   * @throws IllegalArgumentException naming the formats that there are
   */
  public static BlockFormat of(String name) {
    String wanted = Objects.requireNonNull(name, "name").toUpperCase(Locale.ROOT);
    return all()
        .filter(f -> f.toString().equals(wanted))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no block format \"%s\", expected one of %s"
                        .formatted(
                            name,
                            all().map(BlockFormat::toString).collect(Collectors.joining(", ")))));
  }

  /** {@return every format} */
  public static Stream<BlockFormat> all() {
    return Stream.of(
            Stream.of(INT8),
            INT8_GROUPS.stream().map(BlockFormat::int8),
            GROUPS.stream().map(BlockFormat::int4),
            GROUPS.stream().map(BlockFormat::int4WithZeros),
            GROUPS.stream().map(BlockFormat::int8WithZeros),
            GGML.stream())
        .flatMap(s -> s);
  }

  private static int checked(String kind, int group, List<Integer> groups) {
    if (!groups.contains(group)) {
      throw new IllegalArgumentException(
          "%s with groups of %d, expected one of %s".formatted(kind, group, groups));
    }
    return group;
  }

  /** {@return how a block lies in a file} */
  public Kind kind() {
    return kind;
  }

  /**
   * {@return the number of elements in a block of a row this long}
   *
   * @param inFeatures the row's elements
   */
  public int blockSize(long inFeatures) {
    return group == 0 ? Math.toIntExact(inFeatures) : group;
  }

  /**
   * {@return the bytes of a block of a row this long}
   *
   * @param inFeatures the row's elements
   */
  public int blockBytes(long inFeatures) {
    int size = blockSize(inFeatures);
    return switch (kind) {
      case INT8 -> 4 + size;
      case INT8_ZERO -> 6 + size;
      case INT4, Q4_0 -> 2 + size / 2;
      case INT4_ZERO -> 3 + size / 2;
      case Q4_1 -> 4 + size / 2;
      case Q5_0 -> 2 + size * 5 / 8;
      case Q5_1 -> 4 + size * 5 / 8;
      case Q8_0 -> 2 + size;
      case Q4_K -> 4 + 12 + size / 2;
      case Q5_K -> 4 + 12 + size * 5 / 8;
      case Q6_K -> size * 6 / 8 + 16 + 2;
      case Q2_K -> 16 + size / 4 + 4;
      case Q3_K -> size * 3 / 8 + 12 + 2;
      case IQ4_NL -> 2 + size / 2;
      case IQ4_XS -> 2 + 2 + 4 + size / 2;
      case MXFP4 -> 1 + size / 2;
    };
  }

  /**
   * {@return the bytes of a row}
   *
   * @param inFeatures the row's elements
   * @throws IllegalArgumentException when the block does not divide the row
   */
  public long rowBytes(long inFeatures) {
    if (group != 0 && inFeatures % group != 0) {
      throw new IllegalArgumentException(
          "%s has blocks of %d, which do not divide %d input features"
              .formatted(this, group, inFeatures));
    }
    if (inFeatures == 0) {
      return 0;
    }
    return Math.multiplyExact(inFeatures / blockSize(inFeatures), blockBytes(inFeatures));
  }

  /** {@return how a weight of this format is packed for a processor: in about a file's bytes} */
  public PackedLayout layout() {
    return switch (kind) {
      case Q4_1 -> new PackedLayout(4, group, PackedLayout.Scales.F16_MIN);
      case Q5_0 -> new PackedLayout(5, group, PackedLayout.Scales.F16);
      case Q5_1 -> new PackedLayout(5, group, PackedLayout.Scales.F16_MIN);
      case Q4_K -> new PackedLayout(4, 32, PackedLayout.Scales.F16_BYTE_MIN);
      case Q5_K -> new PackedLayout(5, 32, PackedLayout.Scales.F16_BYTE_MIN);
      case Q6_K -> new PackedLayout(6, 16, PackedLayout.Scales.F16_BYTE);
      case Q2_K -> new PackedLayout(4, 16, PackedLayout.Scales.F16_BYTE_MIN);
      case Q3_K -> new PackedLayout(4, 16, PackedLayout.Scales.F16_BYTE);
      case IQ4_XS -> new PackedLayout(8, 32, PackedLayout.Scales.F16_BYTE);
      // Twice the values are whole numbers from -12 to 12.
      case MXFP4 -> new PackedLayout(5, group, PackedLayout.Scales.F32);
      default -> wideLayout();
    };
  }

  /**
   * {@return how a weight of this format is packed where codes have 4 or 8 bits and each group its
   * own scale}
   */
  public PackedLayout wideLayout() {
    return switch (kind) {
      case INT8 ->
          new PackedLayout(
              8, group, group == 0 ? PackedLayout.Scales.F32_SUM : PackedLayout.Scales.F32);
      case INT4, Q4_0 -> new PackedLayout(4, group, PackedLayout.Scales.F16);
      case INT4_ZERO -> new PackedLayout(4, group, PackedLayout.Scales.F16_ZERO);
      case Q4_1 -> new PackedLayout(4, group, PackedLayout.Scales.F32_MIN);
      case Q5_0, Q8_0, IQ4_NL -> new PackedLayout(8, group, PackedLayout.Scales.F16);
      case Q5_1, INT8_ZERO -> new PackedLayout(8, group, PackedLayout.Scales.F32_MIN);
      case Q4_K -> new PackedLayout(4, 32, PackedLayout.Scales.F32_MIN);
      case Q5_K -> new PackedLayout(8, 32, PackedLayout.Scales.F32_MIN);
      case Q6_K -> new PackedLayout(8, 16, PackedLayout.Scales.F32);
      case Q2_K -> new PackedLayout(4, 16, PackedLayout.Scales.F32_MIN);
      case Q3_K -> new PackedLayout(4, 16, PackedLayout.Scales.F32);
      case IQ4_XS, MXFP4 -> new PackedLayout(8, 32, PackedLayout.Scales.F32);
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BlockFormat f && f.kind == kind && f.group == group;
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, group);
  }

  @Override
  public String toString() {
    boolean own = !GGML.contains(this);
    return own && group != 0 ? kind + ":" + group : kind.toString();
  }
}
