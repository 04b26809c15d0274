package dev.gatun.tensor;

import dev.gatun.kernels.api.Backend;
import dev.gatun.kernels.api.Backends;
import dev.gatun.kernels.api.Kernels;
import dev.gatun.kernels.api.Memory;

/** Where tensors live and are computed. */
public final class Device {
  private static final class Host {
    // Asked for after a host() that succeeded: a refusal here would be a NoClassDefFoundError.
    static final Device INSTANCE = new Device(Backends.host());
  }

  private final Backend backend;

  private Device(Backend backend) {
    this.backend = backend;
  }

  /**
   * The processor, by the best backend that can run.
   *
   * @throws IllegalStateException when none can, saying why
   */
  public static Device cpu() {
    Backends.host();
    return Host.INSTANCE;
  }

  /** The device's name, such as {@code cpu}. */
  public String name() {
    return backend.memory().device();
  }

  /** Which backend serves the device, for people: name, level, threads. */
  public String description() {
    return backend.label();
  }

  /** The device's memory. */
  public Memory memory() {
    return backend.memory();
  }

  /** The device's kernels. */
  public Kernels kernels() {
    return backend.kernels();
  }

  @Override
  public String toString() {
    return name();
  }
}
