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
      names = "--activations",
      paramLabel = "KIND",
      description =
          "What products with weights in blocks make of their inputs: exact ones, or int8, which"
              + " are rounded to eight bits with a scale for each 32 (of weights as INT8 for each"
              + " token) and faster; int8 on the processor and exact elsewhere when left out.")
  private String activations;

  @Option(
      names = "--mapped-weights",
      description =
          "Multiply by the blocks of a GGUF file, and by floats that --weights keeps as they are,"
              + " as they lie in the mapped file, instead of packing them: loads at once and needs"
              + " no memory of its own for them, and is slower.")
  private boolean mappedWeights;

  @Option(
      names = "--cache-dtype",
      paramLabel = "TYPE",
      description =
          "What keys and values are kept as: F32, F16, BF16, or I8, which takes a quarter of F32's"
              + " memory; what the model computes in when left out.")
  private String cacheDtype;

  /**
   * What is asked for.
   *
   * @param cacheBytes of {@code --cache-bytes}, or null
   */
  GeneratorOptions options(Long cacheBytes) {
    if (cacheBytes != null && cacheBytes < 1) {
      throw new CliException("--cache-bytes: %d, expected a number from 1".formatted(cacheBytes));
    }
    Storage storage = storage();
    try {
      Device on = Device.of(device);
      GeneratorOptions options =
          GeneratorOptions.defaults()
              .withDevice(on)
              .withWeights(storage, compute(storage, on))
              .withMappedWeights(mappedWeights);
      options = cacheDtype == null ? options : options.withCacheDtype(dtype(cacheDtype));
      return cacheBytes == null ? options : options.withCacheBytes(cacheBytes);
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }

  Storage storage() {
    return switch (weights.toUpperCase(Locale.ROOT)) {
      case "F32" -> Storage.F32;
      case "BF16" -> Storage.BF16;
      case "F16" -> Storage.of(DType.F16);
      default -> blocks();
    };
  }

  private Compute compute(Storage storage, Device on) {
    String kind =
        activations == null
            ? on.name().equals("cpu") ? "int8" : "exact"
            : activations.toLowerCase(Locale.ROOT);
    return switch (kind) {
      case "exact" -> Compute.EXACT;
      case "int8" -> storage.equals(Storage.INT8) ? Compute.INT8_PER_TOKEN : Compute.INT8_BLOCKS;
      default ->
          throw new CliException(
              "--activations: %s, expected exact or int8".formatted(activations));
    };
  }

  private Storage blocks() {
    try {
      return Storage.of(BlockFormat.of(weights));
    } catch (IllegalArgumentException e) {
      throw new CliException("--weights: neither F32, BF16 nor F16, and " + e.getMessage(), e);
    }
  }

  private static DType dtype(String name) {
    return switch (name.toUpperCase(Locale.ROOT)) {
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      case "I8" -> DType.I8;
      default ->
          throw new CliException(
              "--cache-dtype: %s, expected F32, F16, BF16 or I8".formatted(name));
    };
  }
}
