package dev.gatun.djl;

import ai.djl.Device;
import ai.djl.inference.streaming.StreamingBlock;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.models.AutoModel;
import dev.gatun.models.Config;
import dev.gatun.models.Head;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Compute;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.weights.WeightTypes;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A model of the library as DJL's programs call it: Hugging Face's inputs, by their names or in
 * order, and what Hugging Face's model of the head gives, in its order and with its names. Safe for
 * use by many threads.
 */
final class GatunSymbolBlock extends AbstractSymbolBlock implements StreamingBlock, AutoCloseable {
  private final GatunNDManager manager;
  private final String uid = NDManager.nextUid();
  private final Path files;
  private final ModelOptions options;
  private final ModelBody body;
  private final Late<TextGenerator> generator;
  private ParameterList parameters;
  private TrainedWeights weights;
  private volatile boolean closed;

  private GatunSymbolBlock(
      GatunNDManager manager, Path files, ModelOptions options, ModelBody body) {
    this.manager = manager;
    this.files = files;
    this.options = options;
    this.body = body;
    this.generator = new Late<>(() -> TextGenerator.load(files, generatorOptions(options)));
    this.inputNames = body.inputs();
    manager.attachInternal(uid, this);
  }

  /**
   * Loads what the directory's {@code model_type} is: an encoder at once; a decoder or an
   * encoder-decoder when its scores are first asked for, since a text generator loads one of its
   * own.
   */
  static GatunSymbolBlock load(GatunNDManager manager, Path files, ModelOptions options)
      throws IOException {
    ModelBody body = body(files, options);
    try {
      return new GatunSymbolBlock(manager, files, options, body);
    } catch (RuntimeException | Error e) {
      body.close();
      throw e;
    }
  }

  private static ModelBody body(Path files, ModelOptions options) throws IOException {
    WeightTypes types = WeightTypes.of(options.storage());
    TrainingSettings training = TrainingSettings.DEFAULT;
    var device = options.device();
    Config config = Config.read(files);
    return switch (written(config, files, options)) {
      case "decoder" ->
          new DecoderBody(
              options.trainParam()
                  ? () -> AutoModel.causalLmForTraining(files, device, training)
                  : () -> AutoModel.loadCausalLm(files, device, types, Compute.EXACT));
      case "encoder-decoder" ->
          new Seq2SeqBody(
              options.trainParam()
                  ? () -> AutoModel.seq2SeqLmForTraining(files, device, training)
                  : () -> AutoModel.loadSeq2SeqLm(files, device, types, Compute.EXACT, null));
      default -> {
        var head = options.head().isPresent() ? options.head() : sentenceHead(config, files);
        yield new EncoderBody(
            options.trainParam()
                ? AutoModel.forTraining(files, head.orElse(null), device)
                : head.isPresent()
                    ? AutoModel.load(files, head.get(), device, types, Compute.EXACT)
                    : AutoModel.load(files, device, options.storage(), Compute.EXACT),
            options.batchSize());
      }
    };
  }

  /** How it writes text: a decoder, or an encoder-decoder, without a head of an encoder. */
  private static String written(Config config, Path files, ModelOptions options)
      throws IOException {
    String kind = AutoModel.kind(config).orElse("");
    String named = config.texts("architectures").stream().findFirst().orElse("");
    boolean reads =
        switch (kind) {
          case "encoder-decoder" ->
              !named.endsWith("ForConditionalGeneration") && !named.endsWith("MTModel");
          case "decoder" -> options.head().isPresent() || sentenceHead(config, files).isPresent();
          default -> true;
        };
    return reads ? "encoder" : kind;
  }

  /** What is read of a decoder whose tokens become a vector, whatever its file names. */
  private static Optional<Head> sentenceHead(Config config, Path files) throws IOException {
    String kind = AutoModel.kind(config.text("model_type", "")).orElse("");
    return kind.equals("decoder") && EmbeddingPipeline.hasModules(files)
        ? Optional.of(Head.BASE)
        : Optional.empty();
  }

  private static GeneratorOptions generatorOptions(ModelOptions options) {
    GeneratorOptions settings =
        GeneratorOptions.defaults()
            .withDevice(options.device())
            .withWeights(options.storage(), Compute.EXACT);
    return settings.withSteps(
        Math.min(settings.maxSequences(), options.batchSize()),
        settings.stepTokens(),
        settings.chunkTokens());
  }

  /** How it was loaded. */
  ModelOptions options() {
    return options;
  }

  /** What writes text with the model, loaded when it is first asked for and closed with it. */
  TextGenerator generator() {
    open();
    if (body instanceof EncoderBody) {
      throw new IllegalArgumentException(
          "text generation: the model of %s is an encoder, expected a decoder".formatted(files));
    }
    return generator.get();
  }

  /** The model itself, which may be loaded only now. */
  Model model() {
    open();
    return body.model();
  }

  private void open() {
    if (closed) {
      throw new IllegalStateException("the model of %s is closed".formatted(files));
    }
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    open();
    if (training) {
      requireTrainable("forward with training");
    }
    BlockInputs read = new BlockInputs(body.inputs(), inputs, options.maxLength());
    NDManager asked = inputs.head().getManager();
    GatunNDManager target = asked instanceof GatunNDManager own ? own : manager;
    if (options.trainParam()) {
      getDirectParameters();
      weights.refresh();
      if (training && weights.areFollowed()) {
        return weights.record(target, body, read, options.dropout());
      }
    }
    return body.forward(target, read);
  }

  /**
   * What {@code forward} gives, in one piece; of no arrays, which a text translator gives, none.
   */
  @Override
  public Iterator<NDList> forwardStreamIter(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    open();
    return inputs.isEmpty()
        ? Collections.emptyIterator()
        : List.of(forward(parameterStore, inputs, training, params)).iterator();
  }

  @Override
  public boolean isInitialized() {
    return true;
  }

  @Override
  public PairList<String, Shape> describeInput() {
    PairList<String, Shape> described = new PairList<>();
    for (String name : body.inputs()) {
      if (!name.equals(DecoderBody.PAST)) {
        described.add(name, new Shape(-1, -1));
      }
    }
    return described;
  }

  @Override
  public PairList<String, Shape> describeOutput() {
    return body.outputs();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    try (NDManager scratch = manager.newSubManager(Device.cpu())) {
      NDList inputs = new NDList();
      for (Shape shape : inputShapes) {
        inputs.add(scratch.ones(shape, DataType.INT64));
      }
      NDList outputs = forwardInternal(new ParameterStore(scratch, false), inputs, false, null);
      return outputs.stream().map(NDArray::getShape).toArray(Shape[]::new);
    }
  }

  @Override
  public synchronized ParameterList getDirectParameters() {
    open();
    if (parameters == null) {
      try {
        if (options.trainParam()) {
          parameters = BlockParameters.ofModel(manager, body.model());
          weights = new TrainedWeights(body.model().parameters(), parameters);
        } else {
          parameters = BlockParameters.ofFile(manager, files, body.model());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e.getMessage(), e);
      }
    }
    ParameterList copy = new ParameterList();
    parameters.forEach(pair -> copy.add(pair.getKey(), pair.getValue()));
    return copy;
  }

  /** Writes a Hugging Face directory of a model to train. */
  void save(Path folder) throws IOException {
    requireTrainable("save");
    body.model().save(folder);
  }

  private void requireTrainable(String what) {
    open();
    if (!options.trainParam()) {
      throw new UnsupportedOperationException(
          "%s: the weights are those of %s, expected a model that was loaded with the option trainParam=true"
              .formatted(what, files));
    }
  }

  @Override
  public void saveParameters(DataOutputStream os) throws IOException {
    requireTrainable("saveParameters");
    os.writeByte(version);
    for (Parameter parameter : getDirectParameters().values()) {
      parameter.save(os);
    }
  }

  @Override
  public void loadParameters(NDManager target, DataInputStream is) {
    throw new UnsupportedOperationException(
        "loadParameters: the model's weights are its directory's files, %s".formatted(files));
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try (body;
        generator) {
      manager.detachInternal(uid);
    }
  }
}
