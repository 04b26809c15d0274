package dev.gatun.kernels.api.device;

/**
 * Looks for the devices of one kind beside the processor; found by {@link java.util.ServiceLoader}.
 * Its constructor touches no driver: {@link #find()} does, when somebody asks.
 */
public interface DeviceProvider {
  /** The kind of device: {@code cuda}. */
  String name();

  /** Loads the driver and describes its devices, or says why there are none; throws nothing. */
  DeviceReport find();

  /**
   * Opens a device.
   *
   * @param ordinal the number that the driver gives it, from 0
   * @throws BackendUnavailableException saying why it cannot be used
   */
  Backend open(int ordinal) throws BackendUnavailableException;
}
