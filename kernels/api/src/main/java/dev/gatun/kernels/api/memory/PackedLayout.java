package dev.gatun.kernels.api.memory;

/**
 * How a quantised weight [out_features, in_features] lies in memory for products. Panels of {@value
 * #PANEL} output features follow each other, filled with codes and scales of 0 past the last one. A
 * panel is a row of records, one for each group of input features, or for each {@value #SUPER}
 * input features whose groups share a scale: the scales of its features, then what they have beside
 * them, then their codes.
 *
 * <p>One load is a vector of features for a processor; for tensor cores the words of four
 * neighbouring features are 16 bytes, and whole fragments of a lane.
 *
 * <p>A code is stored as an unsigned number {@code c + 2^(bits-1)}. Of 8 bits a word of four bytes
 * holds four neighbours on in_features of one output feature, of 4 bits eight: byte i has the
 * element i in its low half and the element i + 4 in its high half. Of 5 and 6 bits the low four
 * lie so, and the upper ones of as many elements as fill a word follow: four words and a fifth for
 * 32 elements of 5 bits, two and a third for 16 of 6 bits. Byte i of that word has those of the
 * elements i, i + 4, i + 8 and so on from its lowest bit up. Words of the panel's features are
 * neighbours. An element is
 *
 * <ul>
 *   <li>{@link Scales#F32}, {@link Scales#F16}: {@code scale * c}
 *   <li>{@link Scales#F32_SUM}: {@code scale * c}; beside it lies the sum of the group's elements,
 *       F32, for activations with an offset
 *   <li>{@link Scales#F16_ZERO}, of 4 bits: {@code scale * (c - zero)}, the zero a signed byte
 *   <li>{@link Scales#F32_MIN}: {@code scale * c + min}, the minimum F32
 *   <li>{@link Scales#F16_MIN}: {@code scale * (c + 2^(bits-1)) + min}, the minimum F16
 *   <li>{@link Scales#F16_BYTE}: {@code scale * times * c}, the scale of all groups of the record,
 *       times a signed byte of each
 *   <li>{@link Scales#F16_BYTE_MIN}: {@code scale * times * (c + 2^(bits-1)) - min * less}, scale
 *       and min of all groups of the record, times and less signed bytes of each
 * </ul>
 *
 * @param bits of a code: 4, 5, 6 or 8
 * @param group input features that share a scale: a multiple of 16, of 5 bits of 32, that divides
 *     in_features, and {@value #SUPER} where groups share a scale; 0 for all of a row, whose codes
 *     of 8 bits are then filled up with 0 to a multiple of four
 * @param scales what a group has beside its codes
 */
public record PackedLayout(int bits, int group, Scales scales) {
  /** Output features in a panel. */
  public static final int PANEL = 32;

  /** Input features of groups that share a scale. */
  public static final int SUPER = 256;

  /** Changes with any change of the layout; packed bytes that are kept anywhere keep it as well. */
  public static final int VERSION = 2;

  /** What each group of an output feature has beside its codes. */
  public enum Scales {
    /** A scale of F32. */
    F32(4, 0),
    /** A scale of F16. */
    F16(2, 0),
    /** A scale of F16 and a zero point of a byte. */
    F16_ZERO(3, 0),
    /** A scale and a least value of F32. */
    F32_MIN(8, 0),
    /** A scale of F32 and the sum of the group's elements. */
    F32_SUM(8, 0),
    /** A scale and a least value of F16. */
    F16_MIN(4, 0),
    /** A byte, which the F16 scale of a record is taken times. */
    F16_BYTE(2, 1),
    /** Two bytes, which the F16 scale and the F16 minimum of a record are taken times. */
    F16_BYTE_MIN(4, 2);

    private final int bytes;
    private final int groupBytes;

    Scales(int bytes, int groupBytes) {
      this.bytes = bytes;
      this.groupBytes = groupBytes;
    }

    /** {@return whether groups share what their bytes are taken times} */
    public boolean areShared() {
      return groupBytes > 0;
    }
  }

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public PackedLayout {
    if (scales == null) {
      throw new IllegalArgumentException("packed codes: scales is missing");
    }
    boolean whole = group == 0 && bits == 8;
    int least = bits == 5 ? 32 : 16;
    if (bits != 4 && bits != 5 && bits != 6 && bits != 8
        || !whole && (group <= 0 || group % least != 0)) {
      throw new IllegalArgumentException(
          "packed codes of %d bits in groups of %d, expected 4, 5, 6 or 8 bits in groups of a multiple of %d"
              .formatted(bits, group, least));
    }
    if (scales == Scales.F16_ZERO && bits != 4) {
      throw new IllegalArgumentException(
          "packed codes of %d bits with zero points, expected 4 bits".formatted(bits));
    }
    if (scales.areShared() && (group == 0 || SUPER % group != 0)) {
      throw new IllegalArgumentException(
          "packed codes in groups of %d that share a scale, expected groups that divide %d"
              .formatted(group, SUPER));
    }
  }

  /**
   * Checks the version that lies beside packed bytes.
   *
   * @param version the number that lies there
   * @throws IllegalArgumentException when it is another release's
   */
  public static void requireVersion(int version) {
    if (version != VERSION) {
      throw new IllegalArgumentException(
          "packed codes of layout version %d, expected version %d: pack the weight's blocks again"
              .formatted(version, VERSION));
    }
  }

  /**
   * {@return the number of input features that share a scale, in rows this long}
   *
   * @param inFeatures a row's elements
   */
  public long groupSize(long inFeatures) {
    return group == 0 ? inFeatures : group;
  }

  /**
   * {@return the number of groups in a row}
   *
   * @param inFeatures a row's elements
   */
  public long groups(long inFeatures) {
    return inFeatures == 0 ? 0 : inFeatures / groupSize(inFeatures);
  }

  /** {@return the number of groups in a record} */
  public int groupsOfRecord() {
    return scales.areShared() ? SUPER / group : 1;
  }

  /** {@return the input features that rows are a multiple of; 0 where all have any number} */
  public int depthUnit() {
    return scales.areShared() ? SUPER : group;
  }

  /** {@return the bytes of a record ahead of its codes} */
  public int headerBytes() {
    return PANEL * (scales.bytes + groupsOfRecord() * scales.groupBytes);
  }

  /**
   * {@return the bytes of a record}
   *
   * @param inFeatures a row's elements
   */
  public long recordBytes(long inFeatures) {
    return headerBytes() + groupsOfRecord() * groupBytes(inFeatures);
  }

  /** The codes of a group of a panel. */
  private long groupBytes(long inFeatures) {
    return Math.ceilDiv(groupSize(inFeatures), unit()) * unitWords() * 4 * PANEL;
  }

  /** Elements that whole words hold, each with all of its bits. */
  private int unit() {
    return switch (bits) {
      case 4 -> 8;
      case 5 -> 32;
      case 6 -> 16;
      default -> 4;
    };
  }

  private int unitWords() {
    return unit() * bits / 32;
  }

  /**
   * {@return the bytes of a packed weight}
   *
   * @param outFeatures the weight's rows
   * @param inFeatures a row's elements
   */
  public long packedBytes(long outFeatures, long inFeatures) {
    long records =
        Math.multiplyExact(Math.ceilDiv(outFeatures, PANEL), groups(inFeatures) / groupsOfRecord());
    return Math.multiplyExact(records, recordBytes(inFeatures));
  }

  /**
   * {@return where the record with a panel's group begins}
   *
   * @param panel the panel's number
   * @param g the group's number in a row
   * @param inFeatures a row's elements
   */
  public long record(long panel, long g, long inFeatures) {
    return (panel * groups(inFeatures) + g) / groupsOfRecord() * recordBytes(inFeatures);
  }

  /**
   * {@return where the number that codes are taken times lies inside its record}
   *
   * @param feature an output feature of the panel
   */
  public int scaleByte(int feature) {
    return (scales == Scales.F32 || scales == Scales.F32_MIN || scales == Scales.F32_SUM ? 4 : 2)
        * feature;
  }

  /**
   * {@return where the zero point, the minimum or the sum lies inside its record}
   *
   * @param feature an output feature of the panel
   */
  public int besideByte(int feature) {
    return switch (scales) {
      case F16_ZERO -> 2 * PANEL + feature;
      case F32_MIN, F32_SUM -> 4 * (PANEL + feature);
      default -> 2 * (PANEL + feature);
    };
  }

  /**
   * {@return where the byte of a group lies inside its record}
   *
   * @param feature an output feature of the panel
   * @param g the group's number in a row
   * @param which 0 for that of the scale, 1 for that of the minimum
   */
  public int groupByte(int feature, long g, int which) {
    int own = Math.toIntExact(g % groupsOfRecord());
    return PANEL * (scales.bytes + which * groupsOfRecord() + own) + feature;
  }

  /**
   * {@return where the byte with an element's low bits lies inside its record}
   *
   * @param feature an output feature of the panel
   * @param g the group's number in a row
   * @param element an input feature of the group
   * @param inFeatures a row's elements
   */
  public long codeByte(int feature, long g, long element, long inFeatures) {
    return wordByte(feature, g, element, bits == 8 ? 0 : element % unit() / 8, inFeatures);
  }

  /**
   * {@return how far left an element's low bits lie inside their byte}
   *
   * @param element an input feature of the group
   */
  public int codeShift(long element) {
    return bits != 8 && element % 8 >= 4 ? 4 : 0;
  }

  /** {@return the bits of an element that lie apart from the low ones} */
  public int upperBits() {
    return bits == 8 ? 0 : bits - 4;
  }

  /**
   * {@return where the byte with an element's upper bits lies inside its record}
   *
   * @param feature an output feature of the panel
   * @param g the group's number in a row
   * @param element an input feature of the group
   * @param inFeatures a row's elements
   */
  public long upperByte(int feature, long g, long element, long inFeatures) {
    return wordByte(feature, g, element, unitWords() - 1, inFeatures);
  }

  /**
   * {@return how far left an element's upper bits lie inside their byte}
   *
   * @param element an input feature of the group
   */
  public int upperShift(long element) {
    return Math.toIntExact(element % unit() / 4) * upperBits();
  }

  private long wordByte(int feature, long g, long element, long word, long inFeatures) {
    long line = element / unit() * unitWords() + word;
    return headerBytes()
        + g % groupsOfRecord() * groupBytes(inFeatures)
        + (line * PANEL + feature) * 4
        + element % 4;
  }
}
