package dev.gatun.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.bindings.loader.NativeLoader;
import org.junit.jupiter.api.Test;

class CudaDriverTest {
  /** With a driver its devices are described; without one every attempt is. */
  @Test
  void loadsOrSaysWhyNot() {
    NativeLoader.Result result = CudaDriver.load();
    assertFalse(result.attempts().isEmpty());
    if (!result.loaded()) {
      assertTrue(result.report().contains("libcuda.so.1"), result.report());
      return;
    }
    assertTrue(CudaDriver.driverVersion() >= 11000);
    for (int device = 0; device < CudaDriver.deviceCount(); device++) {
      assertFalse(CudaDriver.deviceName(device).isBlank());
      assertTrue(CudaDriver.computeCapability(device) >= 30);
      assertTrue(CudaDriver.totalMemory(device) > 0);
    }
    CudaException bad =
        assertThrows(CudaException.class, () -> CudaDriver.deviceName(CudaDriver.deviceCount()));
    assertEquals("CUDA_ERROR_INVALID_DEVICE", bad.code());
    assertTrue(bad.getMessage().startsWith("cuDeviceGet("), bad.getMessage());
  }
}
