package dev.gatun.kernels.api.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

/** Devices that there are and that there are not. */
final class DevicesTest {
  @Test
  void the_processor_is_number_0() {
    assertSame(Devices.host(), Devices.open("cpu", 0));
    assertEquals(
        "device cpu:1: there is one processor, 0",
        assertThrows(IllegalStateException.class, () -> Devices.open("cpu", 1)).getMessage());
  }

  @Test
  void a_kind_that_nothing_runs_is_named_with_what_would() {
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> Devices.open("tpu", 2));
    assertEquals(
        "device tpu:2: nothing here runs tpu: add the dependency dev.gatun:gatun-kernels-tpu",
        e.getMessage());
    assertNull(e.getCause());
  }
}
