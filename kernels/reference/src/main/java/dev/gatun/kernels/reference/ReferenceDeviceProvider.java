package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.DeviceProvider;
import dev.gatun.kernels.api.device.Devices;

/** Offers the plain Java kernels, which run everywhere and are the last choice. */
public final class ReferenceDeviceProvider implements DeviceProvider {
  @Override
  public String name() {
    return ReferenceBackend.NAME;
  }

  @Override
  public String kind() {
    return Devices.CPU;
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Backend open(int ordinal) {
    return new ReferenceBackend(Precision.F64);
  }
}
