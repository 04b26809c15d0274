package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.BackendProvider;

/** Offers the plain Java kernels, which run everywhere and are the last choice. */
public final class ReferenceBackendProvider implements BackendProvider {
  @Override
  public String name() {
    return ReferenceBackend.NAME;
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Backend open() {
    return new ReferenceBackend(Precision.F64);
  }
}
