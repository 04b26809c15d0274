package dev.gatun.bench.generation;

import dev.gatun.bench.Subject;
import dev.gatun.generation.GeneratedToken;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.generation.TokenScore;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.util.ArrayList;
import java.util.List;

/** Gatun's generator, as programs use it. */
public final class GatunGenerator implements Subject {
  private TextGenerator generator;
  private String open = "";
  private long prompts = 1000;

  @Override
  public Task task(String name) throws Exception {
    GenerationCase c = GenerationCase.of(name);
    String model = c.shape().name() + "/" + c.type() + "/" + c.cacheBytes();
    if (!open.equals(model)) {
      close();
      RandomDecoder decoder = new RandomDecoder(c.shape(), GenerationCase.FOLDER);
      generator =
          TextGenerator.load(
              c.isGguf() ? decoder.stored(c.type()) : decoder.directory(), options(c));
      open = model;
    }
    return new Task() {
      @Override
      public double seconds() {
        return c.prefill() ? prefill(c) : decode(c);
      }

      @Override
      public void run() {
        seconds();
      }

      @Override
      public float[] result() {
        return scores(c);
      }
    };
  }

  private GeneratorOptions options(GenerationCase c) {
    GeneratorOptions options = GeneratorOptions.defaults().withCacheBytes(c.cacheBytes());
    return switch (c.type()) {
      case "int4" -> options.withWeights(Storage.of(BlockFormat.int4(32)), Compute.INT8_BLOCKS);
      case "int8" -> options.withWeights(Storage.INT8, Compute.INT8_PER_TOKEN);
      case "bf16" -> options.withWeights(Storage.BF16, Compute.EXACT);
      default -> options.withWeights(Storage.F32, Compute.INT8_BLOCKS);
    };
  }

  private static GenerationConfig.Builder config(GenerationCase c) {
    return GenerationConfig.builder().maxNewTokens(c.written());
  }

  /** Of a prompt that the cache does not have, from the request to the first token. */
  private double prefill(GenerationCase c) {
    GenerationResult result = generator.generate(c.prompt(prompts++), config(c).build());
    return result.promptTime().toNanos() / 1e9 / c.timed();
  }

  /** From each sequence's first token to its last. */
  private double decode(GenerationCase c) {
    List<GenerationStream> streams = new ArrayList<>();
    for (int i = 0; i < c.sequences(); i++) {
      streams.add(generator.stream(c.prompt(i), config(c).build()));
    }
    double rate = 0;
    for (GenerationStream stream : streams) {
      GenerationResult result = stream.result();
      if (result.generatedTokens() != c.written()) {
        throw new IllegalStateException("it ended after " + result.generatedTokens() + " tokens");
      }
      rate += (c.written() - 1) / (result.generationTime().toNanos() / 1e9);
    }
    return 1 / rate;
  }

  /** The log-probabilities of all tokens after the first prompt, less their mean. */
  private float[] scores(GenerationCase c) {
    GenerationConfig one =
        GenerationConfig.builder().maxNewTokens(1).logprobs(c.shape().vocab()).build();
    GeneratedToken token =
        generator.generate(c.prompt(0), one).completions().getFirst().tokens().getFirst();
    float[] scores = new float[c.shape().vocab()];
    for (TokenScore score : token.top()) {
      scores[score.id()] = score.logprob();
    }
    return Scores.centred(scores);
  }

  @Override
  public String version() {
    return "gatun " + Device.cpu().description();
  }

  @Override
  public void close() {
    if (generator != null) {
      generator.close();
      generator = null;
      open = "";
    }
  }
}
