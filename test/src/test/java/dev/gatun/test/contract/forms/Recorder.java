package dev.gatun.test.contract.forms;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.ArrayList;
import java.util.List;

/** A backend that remembers which calls were made of it. */
final class Recorder implements Backend {
  final List<KernelCall> calls = new ArrayList<>();
  private final Backend backend;

  Recorder(Backend backend) {
    this.backend = backend;
  }

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public String description() {
    return backend.description();
  }

  @Override
  public Memory memory() {
    return backend.memory();
  }

  @Override
  public Kernels kernels() {
    Kernels kernels = backend.kernels();
    return new Kernels() {
      @Override
      public void run(KernelCall call) {
        calls.add(call);
        kernels.run(call);
      }

      @Override
      public PackedLayout layout(BlockFormat format) {
        return kernels.layout(format);
      }
    };
  }
}
