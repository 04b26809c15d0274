package dev.gatun.test.contract.forms;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.Memory;
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
    return call -> {
      calls.add(call);
      backend.kernels().run(call);
    };
  }
}
