package dev.gatun.djl;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import dev.gatun.djl.host.Strided;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.models.Config;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.WeightTypes;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model of the library as DJL's programs call it: {@code input_ids}, {@code attention_mask} and
 * {@code token_type_ids}, by their names or in this order, and what Hugging Face's model of the
 * head gives, in its order and with its names. Safe for use by many threads.
 */
final class GatunSymbolBlock extends AbstractSymbolBlock implements AutoCloseable {
  private static final List<String> INPUTS =
      List.of("input_ids", "attention_mask", "token_type_ids");

  private final GatunNDManager manager;
  private final String uid = NDManager.nextUid();
  private final Path files;
  private final ModelOptions options;
  private final EncoderModel encoder;
  private CausalLm decoder;
  private TextGenerator generator;
  private boolean closed;

  private GatunSymbolBlock(
      GatunNDManager manager, Path files, ModelOptions options, EncoderModel encoder) {
    this.manager = manager;
    this.files = files;
    this.options = options;
    this.encoder = encoder;
    manager.attachInternal(uid, this);
  }

  /**
   * Loads what the directory's {@code model_type} is: an encoder at once; a decoder when its logits
   * are first asked for, since a text generator loads one of its own.
   */
  static GatunSymbolBlock load(GatunNDManager manager, Path files, ModelOptions options)
      throws IOException {
    EncoderModel encoder = null;
    if (!generates(Config.read(files))) {
      encoder =
          options.head().isPresent()
              ? AutoModel.load(
                  files, options.head().get(), options.device(), options.storage(), Compute.EXACT)
              : AutoModel.load(files, options.device(), options.storage(), Compute.EXACT);
    }
    try {
      return new GatunSymbolBlock(manager, files, options, encoder);
    } catch (RuntimeException | Error e) {
      if (encoder != null) {
        encoder.close();
      }
      throw e;
    }
  }

  /** Whether it writes text: a decoder, or an encoder-decoder without a head of an encoder. */
  private static boolean generates(Config config) {
    String kind = AutoModel.kind(config.text("model_type", "")).orElse("");
    return switch (kind) {
      case "decoder" -> true;
      case "encoder-decoder" ->
          config.texts("architectures").stream()
              .findFirst()
              .map(name -> name.endsWith("ForConditionalGeneration") || name.endsWith("MTModel"))
              .orElse(false);
      default -> false;
    };
  }

  /** How it was loaded. */
  ModelOptions options() {
    return options;
  }

  /** What writes text with the model, loaded when it is first asked for and closed with it. */
  synchronized TextGenerator generator() throws IOException {
    open();
    if (encoder != null) {
      throw new IllegalArgumentException(
          "text generation: the model of %s is an encoder, expected a decoder".formatted(files));
    }
    if (generator == null) {
      GeneratorOptions settings =
          GeneratorOptions.defaults()
              .withDevice(options.device())
              .withWeights(options.storage(), Compute.EXACT);
      generator = TextGenerator.load(files, settings);
    }
    return generator;
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
    if (training) {
      throw new UnsupportedOperationException(
          "forward: the engine Gatun does not train through DJL, expected training to be false");
    }
    NDArray[] arrays = inputs(inputs);
    GatunNDManager target = arrays[0].getManager() instanceof GatunNDManager own ? own : manager;
    long[][] ids = rows("input_ids", arrays[0]);
    long[][] mask = arrays[1] == null ? null : rows("attention_mask", arrays[1]);
    long[][] types = arrays[2] == null ? null : rows("token_type_ids", arrays[2]);
    return encoder == null ? logits(target, ids, mask) : encoded(target, ids, mask, types);
  }

  /** The inputs in their order, null for one that is not there. */
  private static NDArray[] inputs(NDList inputs) {
    NDArray[] arrays = new NDArray[INPUTS.size()];
    int next = 0;
    for (NDArray array : inputs) {
      int named = array.getName() == null ? -1 : INPUTS.indexOf(array.getName());
      int at = named >= 0 ? named : next;
      if (at >= arrays.length || arrays[at] != null) {
        throw new IllegalArgumentException(
            "forward: %d arrays, expected input_ids, attention_mask and token_type_ids at most"
                .formatted(inputs.size()));
      }
      arrays[at] = array;
      next = at + 1;
    }
    if (arrays[0] == null) {
      throw new IllegalArgumentException("forward: input_ids is missing");
    }
    return arrays;
  }

  private static long[][] rows(String name, NDArray array) {
    Shape shape = array.getShape();
    boolean whole = array.getDataType().isInteger() || array.getDataType() == DataType.BOOLEAN;
    if (shape.dimension() != 2 || !whole) {
      throw new IllegalArgumentException(
          "forward: %s is %s %s, expected whole numbers [batch, length]"
              .formatted(name, array.getDataType(), shape));
    }
    int length = Math.toIntExact(shape.get(1));
    long[][] rows = new long[Math.toIntExact(shape.get(0))][length];
    NDArray wide = array.toType(DataType.INT64, false);
    try {
      long[] all = wide.toLongArray();
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(all, i * length, rows[i], 0, length);
      }
    } finally {
      if (wide != array) {
        wide.close();
      }
    }
    return rows;
  }

  private NDList encoded(GatunNDManager target, long[][] ids, long[][] mask, long[][] types) {
    EncoderOutput output = encoder.forward(EncoderInputs.of(ids, mask, types));
    List<Tensor> given = new ArrayList<>();
    List<String> names = new ArrayList<>();
    if (encoder.head() == Head.QUESTION_ANSWERING) {
      add(given, names, output.startLogits(), "start_logits");
      add(given, names, output.endLogits(), "end_logits");
    } else if (encoder.head() == Head.BASE) {
      add(given, names, output.lastHiddenState(), "last_hidden_state");
      add(given, names, output.poolerOutput(), "pooler_output");
    } else {
      add(given, names, output.logits(), "logits");
      add(given, names, output.seqRelationshipLogits(), "seq_relationship_logits");
    }
    for (Tensor tensor :
        new Tensor[] {output.lastHiddenState(), output.poolerOutput(), output.logits()}) {
      if (tensor != null && !given.contains(tensor)) {
        tensor.close();
      }
    }
    return handed(target, given, names);
  }

  private static void add(List<Tensor> given, List<String> names, Tensor tensor, String name) {
    if (tensor != null) {
      given.add(tensor);
      names.add(name);
    }
  }

  private NDList logits(GatunNDManager target, long[][] ids, long[][] mask) {
    CausalLmOutput output = decoder().forward(new CausalLmInputs(ids, mask, null, false, false));
    return handed(target, List.of(output.logits()), List.of("logits"));
  }

  /** Tensors as arrays on the processor, which own their memory now. */
  private static NDList handed(GatunNDManager target, List<Tensor> tensors, List<String> names) {
    NDList list = new NDList(tensors.size());
    int at = 0;
    try {
      for (; at < tensors.size(); at++) {
        Tensor tensor = tensors.get(at);
        Tensor host = tensor.to(dev.gatun.tensor.Device.cpu());
        if (host != tensor) {
          tensor.close();
        }
        GatunNDArray array = target.make(Strided.of(host, DataType.FLOAT32));
        array.setName(names.get(at));
        list.add(array);
      }
      return list;
    } catch (RuntimeException | Error e) {
      list.close();
      tensors.subList(at, tensors.size()).forEach(Tensor::close);
      throw e;
    }
  }

  private synchronized CausalLm decoder() {
    open();
    if (decoder == null) {
      try {
        decoder =
            AutoModel.loadCausalLm(
                files, options.device(), WeightTypes.of(options.storage()), Compute.EXACT);
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e.getMessage(), e);
      }
    }
    return decoder;
  }

  @Override
  public PairList<String, Shape> describeInput() {
    PairList<String, Shape> described = new PairList<>();
    int inputs = encoder == null ? 2 : INPUTS.size();
    for (String name : INPUTS.subList(0, inputs)) {
      described.add(name, new Shape(-1, -1));
    }
    return described;
  }

  @Override
  public PairList<String, Shape> describeOutput() {
    PairList<String, Shape> described = new PairList<>();
    if (encoder != null && encoder.head() == Head.QUESTION_ANSWERING) {
      described.add("start_logits", new Shape(-1, -1));
      described.add("end_logits", new Shape(-1, -1));
    } else if (encoder != null && encoder.head() == Head.BASE) {
      described.add("last_hidden_state", new Shape(-1, -1, encoder.hiddenSize()));
    } else {
      described.add("logits", new Shape(-1, -1, -1));
    }
    return described;
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
  public ParameterList getDirectParameters() {
    // Packed weights are no arrays: they are what kernels read.
    return new ParameterList();
  }

  @Override
  public void saveParameters(DataOutputStream os) {
    throw new UnsupportedOperationException(
        "saveParameters: the model's weights are its directory's files, %s".formatted(files));
  }

  @Override
  public void loadParameters(NDManager manager, DataInputStream is) {
    throw new UnsupportedOperationException(
        "loadParameters: the model's weights are its directory's files, %s".formatted(files));
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (encoder != null) {
      encoder.close();
    }
    if (decoder != null) {
      decoder.close();
    }
    if (generator != null) {
      generator.close();
    }
    manager.detachInternal(uid);
  }
}
