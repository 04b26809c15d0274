package dev.gatun.tensor;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Devices;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Memory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Where tensors live and are computed. */
public final class Device {
  private static final class Host {
    // Asked for after a host() that succeeded: a refusal here would be a NoClassDefFoundError.
    static final Device INSTANCE = new Device(Devices.host());
  }

  private static final Map<Backend, Device> OPEN = new ConcurrentHashMap<>();

  private final Backend backend;

  private Device(Backend backend) {
    this.backend = backend;
  }

  /**
   * {@return the processor, by the best backend that can run}
   *
   * @throws IllegalStateException when none can, saying why
   */
  public static Device cpu() {
    Devices.host();
    return Host.INSTANCE;
  }

  /**
   * {@return a CUDA device} Its driver is loaded now, if it was not before.
   *
   * @param ordinal the number that the driver gives it, from 0
   * @throws IllegalStateException when it cannot be used, saying why
   */
  public static Device cuda(int ordinal) {
    Backend backend = Devices.open("cuda", ordinal);
    return OPEN.computeIfAbsent(backend, Device::new);
  }

  /**
   * {@return the device that a backend serves, such as one that a program made itself}
   *
   * @param backend what runs there
   */
  public static Device of(Backend backend) {
    return backend == Host.INSTANCE.backend
        ? Host.INSTANCE
        : OPEN.computeIfAbsent(backend, Device::new);
  }

  /**
   * {@return the device of a name: {@code cpu}, {@code cuda} for the first CUDA device, {@code
   * cuda:1}}
   *
   * @param name as users write it
   * @throws IllegalArgumentException for other names
   * @throws IllegalStateException when it cannot be used, saying why
   */
  public static Device of(String name) {
    if (name.equals("cpu")) {
      return cpu();
    }
    if (name.equals("cuda")) {
      return cuda(0);
    }
    if (name.matches("cuda:[0-9]{1,4}")) {
      return cuda(Integer.parseInt(name.substring("cuda:".length())));
    }
    throw new IllegalArgumentException("device '%s': expected cpu, cuda or cuda:N".formatted(name));
  }

  /** {@return the device's name, such as {@code cpu}} */
  public String name() {
    return backend.memory().device();
  }

  /** {@return which backend serves the device, for people: name, level, threads} */
  public String description() {
    return backend.label();
  }

  /** {@return the device's memory} */
  public Memory memory() {
    return backend.memory();
  }

  /** {@return the device's kernels} */
  public Kernels kernels() {
    return backend.kernels();
  }

  /**
   * {@return bytes of activations that a pass should stay within, so that they are in a cache when
   * they are read; work is cut by it where parts do not depend on each other}
   */
  public long activationBytes() {
    return backend.activationBytes();
  }

  /**
   * Records what a piece of work submits to the device, such as a model's forward pass of one
   * shape, to submit it again with one call; see {@link Backend#capture}. New inputs are written to
   * tensors that were there before; results are in tensors that the work leaves open.
   *
   * @param work what is recorded; it runs twice
   * @return what submits it again, the caller's to close
   * @throws UnsupportedOperationException when the device records nothing, as the processor by the
   *     reference backend
   */
  public Replay capture(Runnable work) {
    return backend.capture(work);
  }

  @Override
  public String toString() {
    return name();
  }
}
