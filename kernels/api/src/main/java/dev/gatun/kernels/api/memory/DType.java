package dev.gatun.kernels.api.memory;

/** Element types, named as safetensors names them. */
public enum DType {
  /** IEEE 754 binary64. */
  F64(8),
  /** IEEE 754 binary32. */
  F32(4),
  /** IEEE 754 binary16. */
  F16(2),
  /** bfloat16: binary32's upper half. */
  BF16(2),
  /** A signed integer of 64 bits. */
  I64(8),
  /** A signed integer of 32 bits. */
  I32(4),
  /** A signed integer of 16 bits. */
  I16(2),
  /** A signed integer of 8 bits. */
  I8(1),
  /** An unsigned integer of 8 bits. */
  U8(1),
  /** A byte that is 0 or 1. */
  BOOL(1);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** {@return the bytes of one element} */
  public int bytes() {
    return bytes;
  }
}
