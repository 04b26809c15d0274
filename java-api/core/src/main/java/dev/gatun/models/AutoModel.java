package dev.gatun.models;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.InputObserver;
import dev.gatun.weights.LoadListener;
import dev.gatun.weights.Loader;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Loads a Hugging Face model directory as it is: {@code config.json} decides what is built.
 *
 * <p>Weights are F32, BF16, F16 or F64. Linear layers may also be quantised, as a {@code
 * quantization_config} of {@code config.json} says: {@link dev.gatun.weights.GptqMethod GPTQ} of 4
 * and 8 bits ({@code checkpoint_format} {@code gptq} and {@code gptq_v2}, with {@code desc_act} or
 * without) and {@link dev.gatun.weights.AwqMethod AWQ} of 4 bits ({@code version} {@code gemm}), in
 * groups of any multiple of 32 or of a whole row. Their codes, scales and zero points are kept as
 * they are, whatever storage is asked for: it is that of the other layers.
 */
public final class AutoModel {
  private interface Family {
    Encoder build(Config config, Head head, Weights weights);
  }

  private static final Map<String, Family> FAMILIES =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("albert", Albert::new),
              Map.entry("bart", Bart::reader),
              Map.entry("bert", Bert::new),
              Map.entry("roberta", Roberta::new),
              Map.entry("xlm-roberta", Roberta::new),
              Map.entry("camembert", Roberta::new),
              Map.entry("distilbert", DistilBert::new),
              Map.entry("electra", Electra::new),
              Map.entry("deberta", Deberta::new),
              Map.entry("deberta-v2", DebertaV2::new),
              Map.entry("gte", Gte::new),
              Map.entry("mbart", Bart::reader),
              Map.entry("modernbert", ModernBert::new),
              Map.entry("mpnet", Mpnet::new),
              Map.entry("new", Gte::new),
              Map.entry("nomic_bert", NomicBert::new),
              Map.entry("mt5", T5::encoder),
              Map.entry("t5", T5::encoder),
              Map.entry("umt5", T5::encoder)));

  private static final Map<String, DecoderAsEncoder.Family> DECODERS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("bloom", Bloom::new),
              Map.entry("cohere", Cohere::new),
              Map.entry("falcon", Falcon::new),
              Map.entry("gemma", Gemma::new),
              Map.entry("gemma2", Gemma::new),
              Map.entry("gemma3_text", Gemma::new),
              Map.entry("gpt2", Gpt2::new),
              Map.entry("gpt_neox", GptNeox::new),
              Map.entry("gpt_oss", GptOss::new),
              Map.entry("gptj", GptJ::new),
              Map.entry("llama", Llama::new),
              Map.entry("mistral", Llama::new),
              Map.entry("mixtral", Mixtral::new),
              Map.entry("openai-gpt", OpenaiGpt::new),
              Map.entry("phi3", Llama::new),
              Map.entry("qwen2", Llama::new),
              Map.entry("qwen2_moe", Mixtral::new),
              Map.entry("qwen3", Llama::new),
              Map.entry("qwen3_moe", Mixtral::new),
              Map.entry("starcoder2", Starcoder2::new)));

  private interface EncoderDecoderFamily {
    EncoderDecoder build(Config config, Weights weights);
  }

  private static final Map<String, EncoderDecoderFamily> ENCODER_DECODERS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("bart", Bart::new),
              Map.entry("blenderbot", Bart::new),
              Map.entry("blenderbot-small", Bart::new),
              Map.entry("m2m_100", Bart::new),
              Map.entry("marian", Bart::new),
              Map.entry("mbart", Bart::new),
              Map.entry("mt5", T5::new),
              Map.entry("pegasus", Bart::new),
              Map.entry("switch_transformers", T5::new),
              Map.entry("t5", T5::new),
              Map.entry("umt5", T5::new)));

  private AutoModel() {}

  /** {@return every {@code model_type} that is known, in the order of the alphabet} */
  public static List<String> modelTypes() {
    return Stream.of(FAMILIES, DECODERS, ENCODER_DECODERS)
        .flatMap(families -> families.keySet().stream())
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * What a {@code model_type} loads as.
   *
   * @param modelType as {@code config.json} spells it
   * @return {@code encoder}, by {@link #load(Path)}, {@code decoder}, by {@link
   *     #loadCausalLm(Path)}, or {@code encoder-decoder}, by {@link #loadSeq2SeqLm(Path)}; empty
   *     for one that is not known
   */
  public static Optional<String> kind(String modelType) {
    if (ENCODER_DECODERS.containsKey(modelType)) {
      return Optional.of("encoder-decoder");
    }
    if (FAMILIES.containsKey(modelType)) {
      return Optional.of("encoder");
    }
    return DECODERS.containsKey(modelType) ? Optional.of("decoder") : Optional.empty();
  }

  /**
   * What a configuration loads as: as its {@code model_type} does, but for a decoder of which
   * {@code architectures} names a class without scores of the next token, such as {@code
   * LlamaForSequenceClassification}, which is read as an encoder is.
   *
   * @param config of a model
   * @return as {@link #kind(String)}
   */
  public static Optional<String> kind(Config config) {
    List<String> named = config.texts("architectures");
    boolean reads = !named.isEmpty() && Head.of(named.getFirst()).isPresent();
    return kind(config.text("model_type", ""))
        .map(kind -> kind.equals("decoder") && reads ? "encoder" : kind);
  }

  /**
   * Loads a decoder that tells the next token, on the processor, its weights as F32; fails as
   * {@link #load(Path)} does.
   *
   * @param directory a Hugging Face directory, a GGUF file, or a directory with one
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm loadCausalLm(Path directory) throws IOException {
    return loadCausalLm(directory, Device.cpu(), Storage.F32, Compute.EXACT);
  }

  /**
   * Loads a decoder that tells the next token, on a device; fails as {@link #load(Path)} does.
   *
   * @param directory as for {@link #loadCausalLm(Path)}
   * @param device what the weights are put on, and what computes
   * @param storage what the weights of linear layers are kept as
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm loadCausalLm(
      Path directory, Device device, Storage storage, Compute compute) throws IOException {
    return loadCausalLm(directory, device, WeightTypes.of(storage), compute);
  }

  /**
   * The same with a wider storage for some layers; fails also for one that the model lacks.
   *
   * @param directory as for {@link #loadCausalLm(Path)}
   * @param device what the weights are put on, and what computes
   * @param types what the weights of linear layers are kept as, layer by layer
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm loadCausalLm(
      Path directory, Device device, WeightTypes types, Compute compute) throws IOException {
    return loadCausalLm(directory, device, types, compute, null);
  }

  /**
   * The same, telling how far it is.
   *
   * @param directory as for {@link #loadCausalLm(Path)}
   * @param device what the weights are put on, and what computes
   * @param types what the weights of linear layers are kept as, layer by layer
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @param listener is told of each weight before it is read; null for nobody
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm loadCausalLm(
      Path directory, Device device, WeightTypes types, Compute compute, LoadListener listener)
      throws IOException {
    return loadCausalLm(directory, device, types, compute, listener, null);
  }

  /**
   * A decoder on the processor that shows what its linear layers are given, but for experts'; their
   * weights are F32. Fails as {@link #load(Path)} does.
   *
   * @param directory as for {@link #loadCausalLm(Path)}
   * @param listener is told of each weight before it is read; null for nobody
   * @param observer is shown each input before its layers compute
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm loadObserved(Path directory, LoadListener listener, InputObserver observer)
      throws IOException {
    return loadCausalLm(
        directory, Device.cpu(), WeightTypes.of(Storage.F32), Compute.EXACT, listener, observer);
  }

  private static CausalLm loadCausalLm(
      Path directory,
      Device device,
      WeightTypes types,
      Compute compute,
      LoadListener listener,
      InputObserver observer)
      throws IOException {
    Config config = Config.read(directory);
    DecoderAsEncoder.Family family = family(config, DECODERS);
    requireCausal(config);
    try (TensorFile file = TensorFile.open(directory).watchedBy(listener);
        Loader loader = loader(file, directory, config, device, types, compute).observe(observer)) {
      Weights weights = new Weights(loader);
      Decoder decoder = family.build(FamilyKeys.of(config), weights);
      UnreadKeys.warn(config);
      return new CausalLm(config, weights, decoder);
    }
  }

  /**
   * Loads an encoder-decoder, on the processor, its weights as F32; fails as {@link #load(Path)}
   * does.
   *
   * @param directory a Hugging Face directory
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static Seq2SeqLm loadSeq2SeqLm(Path directory) throws IOException {
    return loadSeq2SeqLm(directory, Device.cpu(), WeightTypes.of(Storage.F32), Compute.EXACT, null);
  }

  /**
   * Loads an encoder-decoder, on a device; fails as {@link #load(Path)} does.
   *
   * @param directory a Hugging Face directory
   * @param device what the weights are put on, and what computes
   * @param types what the weights of linear layers are kept as
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @param listener is told of each weight before it is read; null for nobody
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static Seq2SeqLm loadSeq2SeqLm(
      Path directory, Device device, WeightTypes types, Compute compute, LoadListener listener)
      throws IOException {
    Config config = Config.read(directory);
    EncoderDecoderFamily family = family(config, ENCODER_DECODERS);
    try (TensorFile file = TensorFile.open(directory).watchedBy(listener);
        Loader loader = loader(file, directory, config, device, types, compute)) {
      Weights weights = new Weights(loader);
      EncoderDecoder parts = family.build(FamilyKeys.of(config), weights);
      config.withoutEffect("is_encoder_decoder");
      UnreadKeys.warn(config);
      return new Seq2SeqLm(config, weights, parts);
    }
  }

  /**
   * Loads a model with the head that its {@code architectures} name, on the processor. Weights of
   * other heads may be in the file, see {@link EncoderModel#unusedWeights}; other weights may not.
   *
   * @param directory a Hugging Face directory
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when the configuration or the weights are not as expected; a
   *     {@link dev.gatun.weights.WeightsException} when their file is damaged, or lacks some
   */
  public static EncoderModel load(Path directory) throws IOException {
    return load(directory, Storage.F32);
  }

  /**
   * Loads a model with the head that its {@code architectures} name, on the processor; fails as
   * {@link #load(Path)} does.
   *
   * @param directory a Hugging Face directory
   * @param storage what the weights of linear layers are kept as: F32, BF16, F16, or blocks, whose
   *     products take the activations as they are
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static EncoderModel load(Path directory, Storage storage) throws IOException {
    return load(directory, Device.cpu(), storage, Compute.EXACT);
  }

  /**
   * Loads a model with the head that its {@code architectures} name, on a device; fails as {@link
   * #load(Path)} does.
   *
   * @param directory a Hugging Face directory
   * @param device what the weights are put on, and what computes
   * @param storage what the weights of linear layers are kept as
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static EncoderModel load(Path directory, Device device, Storage storage, Compute compute)
      throws IOException {
    Config config = Config.read(directory);
    Family family = reader(config);
    return load(
        directory, config, family, headOf(config), device, WeightTypes.of(storage), compute);
  }

  /**
   * Loads a model with this head, on a device; fails as {@link #load(Path)} does.
   *
   * @param directory a Hugging Face directory
   * @param head what the model computes, whatever {@code architectures} names
   * @param device what the weights are put on, and what computes
   * @param storage what the weights of linear layers are kept as
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static EncoderModel load(
      Path directory, Head head, Device device, Storage storage, Compute compute)
      throws IOException {
    return load(directory, head, device, WeightTypes.of(storage), compute);
  }

  /**
   * The same with a wider storage for some layers; fails also for one that the model lacks.
   *
   * @param directory a Hugging Face directory
   * @param head what the model computes, whatever {@code architectures} names
   * @param device what the weights are put on, and what computes
   * @param types what the weights of linear layers are kept as, layer by layer
   * @param compute what products make of their inputs, and what the residual stream is kept as
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static EncoderModel load(
      Path directory, Head head, Device device, WeightTypes types, Compute compute)
      throws IOException {
    Config config = Config.read(directory);
    return load(directory, config, reader(config), head, device, types, compute);
  }

  /**
   * Makes an encoder of parameters, to train it: from a directory, whose files may lack the head,
   * or new, from a {@code config.json} alone. Weights that no file has begin as transformers begins
   * them.
   *
   * @param source a model's directory, or a file of its configuration for a new one
   * @param head what it computes; null for what {@code architectures} names
   * @param device what the parameters are put on, and what computes
   * @param settings what products read of the weights, the seed of new ones, and the size of the
   *     vocabulary
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when the configuration or the weights are not as expected; a
   *     {@link dev.gatun.weights.WeightsException} for quantised weights, and for those of another
   *     model
   */
  public static EncoderModel forTraining(
      Path source, Head head, Device device, TrainingSettings settings) throws IOException {
    Config config = TrainingSource.config(source, settings);
    Family family = reader(config);
    requireNoDecoder(config);
    Head computed = head == null ? headOf(config) : head;
    return TrainingSource.make(
        source,
        config,
        computed != Head.BASE,
        device,
        settings,
        weights -> {
          Encoder encoder = family.build(FamilyKeys.of(config), computed, weights);
          UnreadKeys.warn(config);
          return new EncoderModel(config, computed, weights, encoder);
        });
  }

  /**
   * The same by {@link TrainingSettings#DEFAULT}.
   *
   * @param source a model's directory, or a file of its configuration for a new one
   * @param head what it computes; null for what {@code architectures} names
   * @param device what the parameters are put on, and what computes
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static EncoderModel forTraining(Path source, Head head, Device device) throws IOException {
    return forTraining(source, head, device, TrainingSettings.DEFAULT);
  }

  /**
   * Makes a decoder of parameters, to train it; as {@link #forTraining}.
   *
   * @param source a model's directory, or a file of its configuration for a new one
   * @param device what the parameters are put on, and what computes
   * @param settings what products read of the weights, the seed of new ones, and the size of the
   *     vocabulary
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static CausalLm causalLmForTraining(Path source, Device device, TrainingSettings settings)
      throws IOException {
    Config config = TrainingSource.config(source, settings);
    DecoderAsEncoder.Family family = family(config, DECODERS);
    requireCausal(config);
    return TrainingSource.make(
        source,
        config,
        true,
        device,
        settings,
        weights -> {
          Decoder decoder = family.build(FamilyKeys.of(config), weights);
          UnreadKeys.warn(config);
          return new CausalLm(config, weights, decoder);
        });
  }

  /**
   * Makes an encoder-decoder of parameters, to train it; as {@link #forTraining}.
   *
   * @param source a model's directory, or a file of its configuration for a new one
   * @param device what the parameters are put on, and what computes
   * @param settings what products read of the weights, the seed of new ones, and the size of the
   *     vocabulary
   * @return the model, to be closed
   * @throws IOException when a file is missing or cannot be read
   */
  public static Seq2SeqLm seq2SeqLmForTraining(
      Path source, Device device, TrainingSettings settings) throws IOException {
    Config config = TrainingSource.config(source, settings);
    EncoderDecoderFamily family = family(config, ENCODER_DECODERS);
    return TrainingSource.make(
        source,
        config,
        true,
        device,
        settings,
        weights -> {
          EncoderDecoder parts = family.build(FamilyKeys.of(config), weights);
          config.withoutEffect("is_encoder_decoder");
          UnreadKeys.warn(config);
          return new Seq2SeqLm(config, weights, parts);
        });
  }

  private static void requireNoDecoder(Config config) {
    if (config.flag("is_decoder", false) && !DECODERS.containsKey(config.text("model_type", ""))) {
      throw config.wrong("is_decoder", "false: an encoder's tokens see both ways");
    }
    for (String key : List.of("causal_mask", "is_causal")) {
      if (Boolean.FALSE.equals(config.peek(key))) {
        config.withoutEffect(key);
      }
    }
  }

  /** What reads hidden states or a head of a type: an encoder's family, or a decoder's. */
  private static Family reader(Config config) {
    DecoderAsEncoder.Family decoder = DECODERS.get(config.text("model_type", ""));
    return decoder == null
        ? family(config, FAMILIES)
        : (keys, head, weights) -> new DecoderAsEncoder(keys, head, weights, decoder);
  }

  /** The head that a configuration names; not scores of what follows. */
  private static Head headOf(Config config) {
    List<String> named = config.texts("architectures");
    if (!named.isEmpty() && named.getFirst().matches(".*(ForCausalLM|LMHeadModel)")) {
      throw config.error(
          "'architectures' names %s, a decoder: it loads as a CausalLm, or with a head that is told, such as BASE for its hidden states"
              .formatted(named.getFirst()));
    }
    return Head.of(config);
  }

  private static void requireCausal(Config config) {
    config.require(
        "is_causal",
        true,
        "tokens that see both ways tell no next one; AutoModel.load reads their hidden states");
  }

  private static <F> F family(Config config, Map<String, F> families) {
    String type = config.text("model_type", null);
    F family = type == null ? null : families.get(type);
    if (family == null) {
      String other = type == null ? null : kind(type).orElse(null);
      throw config.error(
          "'model_type' is %s%s, expected one of %s"
              .formatted(
                  type,
                  other == null ? "" : other.startsWith("e") ? ", an " + other : ", a " + other,
                  String.join(", ", families.keySet())));
    }
    return family;
  }

  private static EncoderModel load(
      Path directory,
      Config config,
      Family family,
      Head head,
      Device device,
      WeightTypes types,
      Compute compute)
      throws IOException {
    try (TensorFile file = TensorFile.open(directory);
        Loader loader = loader(file, directory, config, device, types, compute)) {
      requireNoDecoder(config);
      Weights weights = new Weights(loader);
      Encoder encoder = family.build(FamilyKeys.of(config), head, weights);
      UnreadKeys.warn(config);
      return new EncoderModel(config, head, weights, encoder);
    }
  }

  private static Loader loader(
      TensorFile file,
      Path directory,
      Config config,
      Device device,
      WeightTypes types,
      Compute compute) {
    return new Loader(
        file, directory.toString(), device, QuantizationConfig.of(config), types, compute);
  }
}
