package dev.gatun.bench.generation;

import dev.gatun.bench.Subject;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Gatun's encoder and generator of encoder-decoders, as programs use them. */
public final class GatunSeq2Seq implements Subject {
  private final Path directory;
  private final Storage weights;
  private final Compute compute;
  private EncoderModel encoder;
  private TextGenerator generator;

  /** Of the model that lies, or will lie, in its folder, its weights stored in some way. */
  public GatunSeq2Seq(Storage weights, Compute compute) throws Exception {
    directory = RandomT5.directory(Seq2SeqCase.FOLDER);
    this.weights = weights;
    this.compute = compute;
  }

  @Override
  public Task task(String name) throws Exception {
    Seq2SeqCase c = Seq2SeqCase.of(name);
    close();
    if (c.ofEncoder()) {
      encoder = AutoModel.load(directory, Head.BASE, Device.cpu(), weights, compute);
    } else {
      generator =
          TextGenerator.load(directory, GeneratorOptions.defaults().withWeights(weights, compute));
    }
    return () -> c.ofEncoder() ? states(c) : Seq2SeqCase.numbers(texts(c));
  }

  private float[] states(Seq2SeqCase c) {
    try (EncoderModel.Encoded encoded = encoder.encode(c.sources(), null)) {
      return encoded.hidden().toFloatArray();
    }
  }

  private long[][] texts(Seq2SeqCase c) {
    GenerationConfig config =
        GenerationConfig.builder()
            .maxNewTokens(Seq2SeqCase.TOKENS)
            .numBeams(c.beams())
            .eosTokenId(List.of())
            .build();
    List<GenerationStream> streams =
        Arrays.stream(c.sources())
            .map(
                ids ->
                    generator.stream(Arrays.stream(ids).mapToInt(id -> (int) id).toArray(), config))
            .toList();
    return streams.stream()
        .map(stream -> stream.result().completions().getFirst().ids())
        .map(ids -> Arrays.stream(ids).asLongStream().toArray())
        .toArray(long[][]::new);
  }

  @Override
  public String version() {
    return "gatun " + weights + " " + Device.cpu().description();
  }

  @Override
  public void close() {
    if (encoder != null) {
      encoder.close();
      encoder = null;
    }
    if (generator != null) {
      generator.close();
      generator = null;
    }
  }
}
