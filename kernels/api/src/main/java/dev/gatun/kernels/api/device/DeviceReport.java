package dev.gatun.kernels.api.device;

import java.util.List;

/**
 * What came of looking for the devices of one kind.
 *
 * @param name the kind: {@code cuda}
 * @param status one line for people: what was found and what can be done with it, or why nothing
 *     was
 * @param driver the driver's version, as {@code CUDA 13.0}, or null when no driver tells
 * @param devices the devices, in the driver's order
 * @param details what else people may ask of them, a line each
 * @param attempts every place where a driver was looked for and what came of it, in order
 */
public record DeviceReport(
    String name,
    String status,
    String driver,
    List<Found> devices,
    List<String> details,
    List<String> attempts) {
  /**
   * One device.
   *
   * @param ordinal the number that the driver gives it, from 0
   * @param name the vendor's name of it
   * @param capability what its instructions are, as the vendor counts: {@code 9.0}
   * @param bytes its memory in bytes
   */
  public record Found(int ordinal, String name, String capability, long bytes) {}

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public DeviceReport {
    devices = List.copyOf(devices);
    details = List.copyOf(details);
    attempts = List.copyOf(attempts);
  }
}
