package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;

/**
 * The type of results, as PyTorch promotes: of two types the wider kind, boolean, whole, floating,
 * complex, and of a kind the wider type; an array without axes widens the kind only.
 */
public final class Types {
  private Types() {}

  private static int kind(DataType type) {
    return switch (type) {
      case BOOLEAN -> 0;
      case COMPLEX64 -> 3;
      default -> type.isFloating() ? 2 : 1;
    };
  }

  /** Whether loops compute it in long: whole numbers and booleans. */
  public static boolean isWhole(DataType type) {
    return kind(type) < 2;
  }

  private static boolean isSigned(DataType type) {
    return switch (type) {
      case INT8, INT16, INT32, INT64 -> true;
      default -> false;
    };
  }

  /** The type that both go into. */
  public static DataType promote(DataType a, DataType b) {
    if (a == b) {
      return a;
    }
    if (kind(a) != kind(b)) {
      return kind(a) > kind(b) ? a : b;
    }
    if (kind(a) == 2) {
      return a.getNumOfBytes() == b.getNumOfBytes()
          ? DataType.FLOAT32
          : a.getNumOfBytes() > b.getNumOfBytes() ? a : b;
    }
    if (isSigned(a) == isSigned(b)) {
      return a.getNumOfBytes() > b.getNumOfBytes() ? a : b;
    }
    DataType signed = isSigned(a) ? a : b;
    DataType unsigned = isSigned(a) ? b : a;
    if (signed.getNumOfBytes() > unsigned.getNumOfBytes()) {
      return signed;
    }
    return switch (unsigned.getNumOfBytes()) {
      case 1 -> DataType.INT16;
      case 2 -> DataType.INT32;
      default -> DataType.INT64;
    };
  }

  /** The type of what an operation makes of two arrays. */
  public static DataType result(Strided a, Strided b) {
    if ((a.rank() == 0) == (b.rank() == 0)) {
      return promote(a.type(), b.type());
    }
    DataType full = a.rank() == 0 ? b.type() : a.type();
    DataType lone = a.rank() == 0 ? a.type() : b.type();
    return kind(lone) > kind(full) ? promote(full, lone) : full;
  }

  /**
   * Whether a type has numbers that the common type of an operation has not, which PyTorch rounds
   * or wraps round first: a number without axes counts by its kind alone, and whole numbers become
   * floating-point ones.
   */
  public static boolean tellsMore(DataType type, DataType common) {
    if (type == common || kind(type) == 3 || kind(common) == 3 || kind(type) == 0) {
      return false;
    }
    if (kind(common) == 1) {
      return type.getNumOfBytes() > common.getNumOfBytes()
          || isSigned(type) != isSigned(common) && type.getNumOfBytes() == common.getNumOfBytes()
          || isSigned(type) && !isSigned(common);
    }
    return kind(common) == 2 && type.getNumOfBytes() >= common.getNumOfBytes();
  }

  /** Whether it is a floating-point type of 16 bits, which PyTorch computes in FLOAT32. */
  public static boolean isHalf(DataType type) {
    return type == DataType.FLOAT16 || type == DataType.BFLOAT16;
  }

  /** The type of floating-point results. */
  public static DataType floating(DataType type) {
    return isWhole(type) ? DataType.FLOAT32 : type;
  }

  /** The type of sums and products. */
  public static DataType accumulated(DataType type) {
    return isWhole(type) ? DataType.INT64 : type;
  }

  /** Whether a type of whole numbers has one. */
  public static boolean holds(DataType type, long number) {
    return switch (type) {
      case INT64 -> true;
      case INT32 -> number == (int) number;
      case INT16 -> number == (short) number;
      case INT8 -> number == (byte) number;
      case UINT8 -> number >= 0 && number <= 255;
      default -> false;
    };
  }

  /** Whether PyTorch lets an in-place operation put a result of one type into another. */
  public static boolean canBecome(DataType result, DataType target) {
    return kind(result) <= kind(target) || kind(target) == 1 && kind(result) == 1;
  }
}
