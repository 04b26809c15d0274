package dev.gatun.kernels.api.device;

import java.util.List;

/**
 * A backend for the devices of one kind; found by {@link java.util.ServiceLoader}. Its constructor
 * touches no library or driver: {@link #open} and {@link #find} do, when somebody asks.
 */
public interface DeviceProvider {
  /** {@return the backend's name: {@code cpu}, {@code reference}, {@code cuda}} */
  String name();

  /** {@return the kind of device: {@link Devices#CPU} for the processor, {@code cuda}} */
  String kind();

  /** {@return the rank among those that can open a device, of which the highest does} */
  default int priority() {
    return 0;
  }

  /**
   * Opens a device.
   *
   * @param ordinal the number that the driver gives it, from 0; there is one processor
   * @return what runs there
   * @throws BackendUnavailableException saying why it cannot be used
   */
  Backend open(int ordinal) throws BackendUnavailableException;

  /**
   * Loads the driver and describes its devices, or says why there are none; throws nothing. The
   * processor has no driver and needs no description.
   *
   * @return what was found
   */
  default DeviceReport find() {
    return new DeviceReport(name(), "the processor", null, List.of(), List.of(), List.of());
  }
}
