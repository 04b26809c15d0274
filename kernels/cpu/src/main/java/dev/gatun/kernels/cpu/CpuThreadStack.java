package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.device.ThreadStack;

/** Stacks as the operating system tells of them; nothing where the native library cannot load. */
public final class CpuThreadStack implements ThreadStack {
  @Override
  public long bytesLeft() {
    return CpuLibrary.load().loaded() ? CpuLibrary.stackLeft() : 0;
  }
}
