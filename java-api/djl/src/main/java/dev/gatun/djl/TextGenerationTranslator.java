package dev.gatun.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.Batchifier;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.TextGenerator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/** Texts for prompts. One is a predictor's; the model's generator is shared. */
final class TextGenerationTranslator implements Translator<String, String> {
  private final Map<String, ?> arguments;
  private TextGenerator generator;
  private GenerationConfig config;
  private int maxLength;

  TextGenerationTranslator(Map<String, ?> arguments) {
    this.arguments = arguments;
  }

  @Override
  public void prepare(TranslatorContext ctx) {
    if (!(ctx.getModel().getBlock() instanceof GatunSymbolBlock block)) {
      throw new IllegalArgumentException(
          "text generation: the model is not one of the engine Gatun's directories");
    }
    generator = block.generator();
    maxLength = block.options().maxLength();
    config = configured(generator.defaults().config(), arguments);
  }

  /** Text for a prompt, as it comes. */
  GenerationStream start(String prompt) {
    return generator.stream(prompt, bounded(prompt, config));
  }

  /** Texts for prompts, written together; none is begun where one cannot be. */
  List<GenerationStream> start(List<String> prompts, GenerationConfig config) {
    List<GenerationStream> streams = new ArrayList<>();
    try {
      for (String prompt : prompts) {
        streams.add(generator.stream(prompt, bounded(prompt, config)));
      }
      return streams;
    } catch (RuntimeException e) {
      streams.forEach(GenerationStream::close);
      throw e;
    }
  }

  /** The predictor's settings, with others in the place of some. */
  GenerationConfig configured(Map<String, ?> parameters) {
    return configured(config, parameters);
  }

  /** No more tokens than the model's option {@code maxLength} leaves for this prompt. */
  private GenerationConfig bounded(String prompt, GenerationConfig config) {
    if (maxLength == Integer.MAX_VALUE) {
      return config;
    }
    boolean counts = generator.maxSourceLength().isEmpty();
    int read = counts ? generator.tokenizer().orElseThrow().encode(prompt).length() : 0;
    if (read >= maxLength) {
      throw new IllegalArgumentException(
          "text generation: a prompt of %d tokens, the option maxLength allows %d with what is written"
              .formatted(read, maxLength));
    }
    int most = Math.min(config.maxNewTokens().orElse(Integer.MAX_VALUE), maxLength - read);
    return config.toBuilder().maxNewTokens(most).build();
  }

  private static GenerationConfig configured(GenerationConfig defaults, Map<String, ?> arguments) {
    GenerationConfig.Builder builder = defaults.toBuilder();
    number(arguments, "maxNewTokens", value -> builder.maxNewTokens((int) value));
    number(arguments, "temperature", value -> builder.doSample(true).temperature((float) value));
    number(arguments, "topK", value -> builder.doSample(true).topK((int) value));
    number(arguments, "topP", value -> builder.doSample(true).topP((float) value));
    number(arguments, "seed", value -> builder.seed((long) value));
    return builder.build();
  }

  private static void number(Map<String, ?> arguments, String key, DoubleConsumer setting) {
    Object value = arguments == null ? null : arguments.get(key);
    if (value == null) {
      return;
    }
    try {
      setting.accept(Double.parseDouble(value.toString()));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "argument %s is '%s', expected a number".formatted(key, value), e);
    }
  }

  @Override
  public Batchifier getBatchifier() {
    // Nothing is stacked: with one DJL gives all inputs of a batch at once.
    return Batchifier.STACK;
  }

  @Override
  public NDList batchProcessInput(TranslatorContext ctx, List<String> inputs) {
    ctx.setAttachment("streams", start(inputs, config));
    return new NDList();
  }

  @Override
  @SuppressWarnings("unchecked")
  public List<String> batchProcessOutput(TranslatorContext ctx, NDList list) {
    List<GenerationStream> streams = (List<GenerationStream>) ctx.getAttachment("streams");
    try {
      return streams.stream().map(stream -> stream.result().text()).toList();
    } finally {
      streams.forEach(GenerationStream::close);
    }
  }

  @Override
  public NDList processInput(TranslatorContext ctx, String input) {
    return batchProcessInput(ctx, List.of(input));
  }

  @Override
  public String processOutput(TranslatorContext ctx, NDList list) {
    return batchProcessOutput(ctx, list).getFirst();
  }
}
