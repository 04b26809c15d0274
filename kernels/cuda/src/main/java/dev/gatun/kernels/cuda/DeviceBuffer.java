package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;

/** A block of a device's memory. */
final class DeviceBuffer extends Buffer {
  private final CudaMemory memory;
  private final Recording recording;
  private final long address;

  /**
   * @param recording that the block was allocated in, or null
   */
  DeviceBuffer(CudaMemory memory, Recording recording, long address, long bytes) {
    super(bytes);
    this.memory = memory;
    this.recording = recording;
    this.address = address;
  }

  @Override
  public Memory memory() {
    return memory;
  }

  /** The recording that the block belongs to, null for none. */
  Recording recording() {
    return recording;
  }

  /** Where the block begins; valid between {@link #acquire} and {@link #release}. */
  long address() {
    return address;
  }

  @Override
  protected void free() {
    if (recording == null) {
      memory.giveBack(address, Math.max(1, byteSize()));
    } else {
      recording.release(address);
    }
  }
}
