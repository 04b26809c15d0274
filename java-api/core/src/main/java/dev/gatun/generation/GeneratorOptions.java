package dev.gatun.generation;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How a {@link TextGenerator} computes. None of it but {@code storage}, {@code compute} and {@code
 * cacheDtype} changes the ids that come.
 *
 * @param device where
 * @param storage what the weights of linear layers are kept as
 * @param compute what products make of their inputs
 * @param mappedWeights whether weights that a file has in blocks, or as the floats that they are
 *     kept as, stay in the mapped file instead of being packed, {@link
 *     dev.gatun.weights.WeightTypes#mapped}
 * @param cacheBytes the most memory for keys and values of all sequences; empty for what {@code
 *     maxSequences} of the model's full length need, but no more than 1 GiB and half of what is
 *     free
 * @param cacheDtype what keys and values are kept as: F32, F16, BF16, or I8, which is signed bytes
 *     with a scale for each head's key and value; empty for what the model computes in
 * @param pageSize tokens of a page of the cache
 * @param maxSequences the most sequences in a step; others wait
 * @param stepTokens the tokens that prompts may fill a step to
 * @param chunkTokens the tokens of a prompt that go into a step when others wait for their turn
 */
public record GeneratorOptions(
    Device device,
    Storage storage,
    Compute compute,
    boolean mappedWeights,
    OptionalLong cacheBytes,
    Optional<DType> cacheDtype,
    int pageSize,
    int maxSequences,
    int stepTokens,
    int chunkTokens) {

  private static final Set<DType> CACHE_DTYPES =
      EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.I8);

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
    if (cacheDtype.isPresent() && !CACHE_DTYPES.contains(cacheDtype.get())) {
      throw new IllegalArgumentException(
          "cacheDtype is %s, expected F32, F16, BF16 or I8".formatted(cacheDtype.get()));
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "%s is %d, expected a number from 1".formatted(name, value));
    }
  }

  /** {@return the processor, weights as F32, up to 32 sequences} */
  public static GeneratorOptions defaults() {
    return new GeneratorOptions(
        Device.cpu(),
        Storage.F32,
        Compute.EXACT,
        false,
        OptionalLong.empty(),
        Optional.empty(),
        16,
        32,
        512,
        128);
  }

  /**
   * {@return these options with the model on another device}
   *
   * @param other where it computes
   */
  public GeneratorOptions withDevice(Device other) {
    return new GeneratorOptions(
        other,
        storage,
        compute,
        mappedWeights,
        cacheBytes,
        cacheDtype,
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with weights kept, and products computed, in another way}
   *
   * @param as what the weights of linear layers are kept as
   * @param by what products make of their inputs
   */
  public GeneratorOptions withWeights(Storage as, Compute by) {
    return new GeneratorOptions(
        device,
        as,
        by,
        mappedWeights,
        cacheBytes,
        cacheDtype,
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with weights left in the mapped file where they can, or packed}
   *
   * @param mapped whether they stay in the file
   */
  public GeneratorOptions withMappedWeights(boolean mapped) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        mapped,
        cacheBytes,
        cacheDtype,
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with another bound for the cache}
   *
   * @param bytes of the keys and values of all sequences, from 1; an encoder-decoder's sources and
   *     targets have half of them each
   * @throws IllegalArgumentException for less than 1
   */
  public GeneratorOptions withCacheBytes(long bytes) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        mappedWeights,
        OptionalLong.of(bytes),
        cacheDtype,
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with keys and values kept as another type}
   *
   * @param dtype F32, F16, BF16 or I8
   * @throws IllegalArgumentException for any other
   */
  public GeneratorOptions withCacheDtype(DType dtype) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        mappedWeights,
        cacheBytes,
        Optional.of(dtype),
        pageSize,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with pages of another number of tokens}
   *
   * @param tokens of a page of the cache, from 1
   * @throws IllegalArgumentException for less than 1
   */
  public GeneratorOptions withPageSize(int tokens) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        mappedWeights,
        cacheBytes,
        cacheDtype,
        tokens,
        maxSequences,
        stepTokens,
        chunkTokens);
  }

  /**
   * {@return these options with steps of other sizes}
   *
   * @param sequences the most in a step, from 1
   * @param tokens that prompts may fill a step to, from 1
   * @param chunk the tokens of a prompt in a step while others wait for their turn, from 1
   * @throws IllegalArgumentException for less than 1
   */
  public GeneratorOptions withSteps(int sequences, int tokens, int chunk) {
    return new GeneratorOptions(
        device,
        storage,
        compute,
        mappedWeights,
        cacheBytes,
        cacheDtype,
        pageSize,
        sequences,
        tokens,
        chunk);
  }
}
