package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.bindings.loader.NativeLoader;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendUnavailableException;
import dev.gatun.kernels.api.device.DeviceProvider;
import dev.gatun.kernels.api.device.DeviceReport;
import java.util.ArrayList;
import java.util.List;

/**
 * Describes the CUDA devices that the NVIDIA driver shows to this process. {@code
 * -Dgatun.cuda.driver=FILE} names the driver library.
 */
public final class CudaDeviceProvider implements DeviceProvider {
  /** The oldest driver that loads PTX of our compiler, as {@code cuDriverGetVersion} counts. */
  private static final int MINIMUM_DRIVER = 13000;

  /** The compute capability, times ten, that every kernel has an image for. */
  private static final int MINIMUM_CAPABILITY = 80;

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public DeviceReport find() {
    NativeLoader.Result result = CudaDriver.load();
    List<String> attempts = result.attempts().stream().map(Object::toString).toList();
    if (!result.loaded()) {
      return new DeviceReport(
          name(), reason(result.attempts()), null, List.of(), List.of(), attempts);
    }
    try {
      int version = CudaDriver.driverVersion();
      List<DeviceReport.Found> devices = devices();
      return new DeviceReport(
          name(),
          status(version, devices.size()),
          text(version),
          devices,
          details(devices),
          attempts);
    } catch (CudaException e) {
      return broken(result, e.getMessage(), attempts);
    } catch (LinkageError e) {
      return broken(result, "lacks a function: " + CudaDriver.root(e).getMessage(), attempts);
    }
  }

  @Override
  public Backend open(int ordinal) throws BackendUnavailableException {
    NativeLoader.Result result = CudaDriver.load();
    if (!result.loaded()) {
      throw new BackendUnavailableException(reason(result.attempts()));
    }
    try {
      int version = CudaDriver.driverVersion();
      if (version < MINIMUM_DRIVER) {
        throw new BackendUnavailableException("the driver is too old: " + needed(version));
      }
      int devices = CudaDriver.deviceCount();
      if (ordinal < 0 || ordinal >= devices) {
        throw new BackendUnavailableException(
            devices == 0
                ? "the driver shows no device to this process"
                : "there is no device %d, the driver shows 0 to %d"
                    .formatted(ordinal, devices - 1));
      }
      KernelImages images = KernelImages.load();
      int capability = CudaDriver.computeCapability(ordinal);
      if (capability < MINIMUM_CAPABILITY) {
        throw new BackendUnavailableException(
            "device %d, %s, has compute capability %s, and 8.0 or later is needed"
                .formatted(ordinal, CudaDriver.deviceName(ordinal), capability(capability)));
      }
      return new CudaBackend(CudaContext.retain(ordinal), images);
    } catch (CudaException e) {
      throw new BackendUnavailableException(
          e.isWithoutCode()
              ? "this build has no kernels for this device: " + e.getMessage()
              : e.getMessage());
    } catch (IllegalArgumentException e) {
      // A setting that says nothing.
      throw new BackendUnavailableException(e.getMessage());
    } catch (LinkageError e) {
      throw new BackendUnavailableException(
          "the driver lacks a function: " + CudaDriver.root(e).getMessage());
    }
  }

  private static String capability(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  private static String needed(int version) {
    return "it is of "
        + text(version)
        + ", and "
        + text(MINIMUM_DRIVER)
        + " (driver R580) or later is needed";
  }

  private DeviceReport broken(NativeLoader.Result result, String problem, List<String> attempts) {
    String status = "the NVIDIA driver fails: " + result.file() + ": " + problem;
    return new DeviceReport(name(), status, null, List.of(), List.of(), attempts);
  }

  private static List<String> details(List<DeviceReport.Found> devices) {
    List<String> details = new ArrayList<>();
    for (DeviceReport.Found device : devices) {
      int ordinal = device.ordinal();
      details.add(
          "%d: %d multiprocessors, %d KiB of shared memory a block, %d MiB of second-level cache"
              .formatted(
                  ordinal,
                  CudaDriver.multiprocessors(ordinal),
                  CudaDriver.sharedMemory(ordinal) >> 10,
                  CudaDriver.cacheBytes(ordinal) >> 20));
    }
    if (!devices.isEmpty()) {
      details.add(LibraryMatmul.description());
    }
    return details;
  }

  private static List<DeviceReport.Found> devices() {
    List<DeviceReport.Found> devices = new ArrayList<>();
    int count = CudaDriver.deviceCount();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      int capability = CudaDriver.computeCapability(ordinal);
      devices.add(
          new DeviceReport.Found(
              ordinal,
              CudaDriver.deviceName(ordinal),
              capability(capability),
              CudaDriver.totalMemory(ordinal)));
    }
    return devices;
  }

  private static String status(int version, int devices) {
    String found =
        switch (devices) {
          case 0 -> "the driver shows no device to this process";
          case 1 -> "1 device is found";
          default -> devices + " devices are found";
        };
    if (version < MINIMUM_DRIVER) {
      return found + ", but the driver is too old: " + needed(version);
    }
    if (devices == 0) {
      return found;
    }
    try {
      KernelImages.load();
      return found;
    } catch (BackendUnavailableException e) {
      return found + ", but " + e.getMessage();
    }
  }

  /** 13000 is CUDA 13.0, 12040 is CUDA 12.4. */
  private static String text(int version) {
    return "CUDA " + version / 1000 + "." + version % 1000 / 10;
  }

  private static String reason(List<NativeLoader.Attempt> attempts) {
    List<NativeLoader.Attempt> files =
        attempts.stream().filter(attempt -> !attempt.outcome().equals(CudaDriver.MISSING)).toList();
    if (!files.isEmpty()) {
      return "the NVIDIA driver cannot be used: "
          + String.join("; ", files.stream().map(NativeLoader.Attempt::toString).toList());
    }
    String forced = System.getProperty(CudaDriver.PROPERTY);
    if (forced != null && !forced.isBlank()) {
      return "no NVIDIA driver: -D%s=%s: %s"
          .formatted(CudaDriver.PROPERTY, forced, CudaDriver.MISSING);
    }
    return "no NVIDIA driver: %s in none of %d places (-D%s names one)"
        .formatted(CudaDriver.NAME, attempts.size(), CudaDriver.PROPERTY);
  }
}
