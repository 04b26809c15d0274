package dev.gatun.test.devices;

import dev.gatun.kernels.api.device.Backends;

/** What a program that computes does first. */
final class ChooseBackend {
  private ChooseBackend() {}

  public static void main(String[] arguments) {
    System.out.println(Backends.host().label());
    Backends.reports();
  }
}
