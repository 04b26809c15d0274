package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.Memory;

/** A block of a device's memory. */
final class DeviceBuffer extends Buffer {
  private final CudaMemory memory;
  private final long address;

  DeviceBuffer(CudaMemory memory, long address, long bytes) {
    super(bytes);
    this.memory = memory;
    this.address = address;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  /** Where the block begins; valid between {@link #acquire} and {@link #release}. */
  long address() {
    return address;
  }

  @Override
  protected void free() {
    memory.giveBack(address, byteSize());
  }
}
