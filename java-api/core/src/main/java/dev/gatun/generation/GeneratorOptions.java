package dev.gatun.generation;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.util.OptionalLong;

/**
 * How a {@link TextGenerator} computes. None of it but {@code storage} and {@code compute} changes
 * the ids that come.
 *
 * @param device where
 * @param storage what the weights of linear layers are kept as
 * @param compute what products make of their inputs
 * @param cacheBytes the most memory for keys and values of all sequences; empty for what {@code
 *     maxSequences} of the model's full length need, but no more than 1 GiB
 * @param pageSize tokens of a page of the cache
 * @param maxSequences the most sequences in a step; others wait
 * @param stepTokens the tokens that prompts may fill a step to
 * @param chunkTokens the tokens of a prompt that go into a step when others wait for their turn
 */
public record GeneratorOptions(
    Device device,
    Storage storage,
    Compute compute,
    OptionalLong cacheBytes,
    int pageSize,
    int maxSequences,
    int stepTokens,
    int chunkTokens) {

  /** Checks. */
  public GeneratorOptions {
    positive("pageSize", pageSize);
    positive("maxSequences", maxSequences);
    positive("stepTokens", stepTokens);
    positive("chunkTokens", chunkTokens);
    if (cacheBytes.isPresent() && cacheBytes.getAsLong() < 1) {
      throw new IllegalArgumentException(
          "cacheBytes is %d, expected a number from 1".formatted(cacheBytes.getAsLong()));
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "%s is %d, expected a number from 1".formatted(name, value));
    }
  }

  /** The processor, weights as F32, up to 32 sequences. */
  public static GeneratorOptions defaults() {
    return new GeneratorOptions(
        Device.cpu(), Storage.F32, Compute.EXACT, OptionalLong.empty(), 16, 32, 512, 128);
  }

  /** The same on another device. */
  public GeneratorOptions withDevice(Device other) {
    return new GeneratorOptions(
        other, storage, compute, cacheBytes, pageSize, maxSequences, stepTokens, chunkTokens);
  }

  /** The same with weights kept, and products computed, in another way. */
  public GeneratorOptions withWeights(Storage as, Compute by) {
    return new GeneratorOptions(
        device, as, by, cacheBytes, pageSize, maxSequences, stepTokens, chunkTokens);
  }

  /** The same with another bound for the cache. */
  public GeneratorOptions withCacheBytes(long bytes) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        OptionalLong.of(bytes),
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /** The same with pages of another number of tokens. */
  public GeneratorOptions withPageSize(int tokens) {
    return new GeneratorOptions(
        device, storage, compute, cacheBytes, tokens, maxSequences, stepTokens, chunkTokens);
  }

  /** The same with steps of other sizes. */
  public GeneratorOptions withSteps(int sequences, int tokens, int chunk) {
    return new GeneratorOptions(
        device, storage, compute, cacheBytes, pageSize, sequences, tokens, chunk);
  }
}
