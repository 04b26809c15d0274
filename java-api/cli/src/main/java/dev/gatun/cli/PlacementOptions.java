package dev.gatun.cli;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Where models run, and how their weights are kept. */
final class PlacementOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "Where the model runs: cpu, cuda, cuda:N (${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--weights",
      paramLabel = "FORMAT",
      defaultValue = "F32",
      description =
          "What linear weights are kept as: F32, BF16, F16, or blocks such as INT8, INT4:32, Q8_0"
              + " (${DEFAULT-VALUE}).")
  private String weights;

  @Option(
      names = "--mapped-weights",
      description =
          "Multiply by the blocks of a GGUF file as they lie in the mapped file, instead of packing"
              + " them: loads at once and needs no memory of its own for them, and is slower.")
  private boolean mappedWeights;

  @Option(
      names = "--cache-dtype",
      paramLabel = "TYPE",
      description =
          "What keys and values are kept as: F32, F16, BF16, or I8, which takes a quarter of F32's"
              + " memory; what the model computes in when left out.")
  private String cacheDtype;

  GeneratorOptions options() {
    try {
      GeneratorOptions options =
          GeneratorOptions.defaults()
              .withDevice(Device.of(device))
              .withWeights(storage(), Compute.EXACT)
              .withMappedWeights(mappedWeights);
      return cacheDtype == null ? options : options.withCacheDtype(dtype(cacheDtype));
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }

  Storage storage() {
    return switch (weights.toUpperCase(Locale.ROOT)) {
      case "F32" -> Storage.F32;
      case "BF16" -> Storage.BF16;
      case "F16" -> Storage.of(DType.F16);
      default -> Storage.of(BlockFormat.of(weights));
    };
  }

  private static DType dtype(String name) {
    try {
      return DType.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new CliException("--cache-dtype: %s, expected F32, F16, BF16 or I8".formatted(name), e);
    }
  }
}
