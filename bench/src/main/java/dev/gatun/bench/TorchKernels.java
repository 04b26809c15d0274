package dev.gatun.bench;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.formats.Quantizer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** libtorch's kernels by TorchScript programs of one call each, in DJL's PyTorch engine. */
final class TorchKernels implements Subject {
  private static final int GROUP = 32;

  private final Path folder;
  private final NDManager manager = NDManager.newBaseManager("PyTorch");
  private final List<AutoCloseable> held = new ArrayList<>();
  private Predictor<NDList, NDList> narrow;
  private NDManager numbers = manager.newSubManager();

  TorchKernels(Path folder) throws IOException {
    this.folder = Files.createDirectories(folder);
  }

  @Override
  public Task task(String name) throws Exception {
    closeTask();
    numbers = manager.newSubManager();
    KernelCase c = KernelCase.of(name);
    narrow = load("narrow");
    Predictor<NDList, NDList> wide = load("wide");
    List<Call> calls = new ArrayList<>();
    if (c.isOfTraining()) {
      return new Turns(List.of(new TorchGradients(this, c).call()), load("rows_sample"));
    }
    if (c.isAttention()) {
      Predictor<NDList, NDList> program = load(c.isCausal() ? "causal_attention" : "attention");
      int[] s = c.sizes();
      for (int copy = 0; copy < KernelCase.copies((long) Cost.of(c).bytes()); copy++) {
        NDList inputs = new NDList();
        for (int i = 0; i < 3; i++) {
          inputs.add(array(c, c.head(i), s[0], s[1], i == 0 ? s[2] : s[3], s[4]));
        }
        calls.add(new Call(program, inputs));
      }
    } else if (c.isMatmul()) {
      matmul(c, calls);
    } else if (c.isExperts()) {
      int[] s = c.sizes();
      Predictor<NDList, NDList> program = load("experts");
      NDArray x = array(c, KernelCase.numbers(1, s[0] * s[2], 1), s[0], s[2]);
      NDArray gateUp = array(c, c.gateUp(), s[1], 2 * s[3], s[2]);
      NDArray down = array(c, c.down(), s[1], s[2], s[3]);
      for (int turn = 0; turn < s[1]; turn++) {
        NDArray logits = numbers.create(c.logits(turn), new Shape(s[0], s[1]));
        calls.add(new Call(program, new NDList(x, logits, gateUp, down)));
      }
    } else {
      return new Turns(List.of(rows(c)), load("sample"));
    }
    return new Turns(calls, wide);
  }

  private Call rows(KernelCase c) throws Exception {
    RowKernel kernel = RowKernel.of(c);
    long[] shape = Arrays.stream(c.sizes()).asLongStream().toArray();
    int columns = c.sizes()[c.sizes().length - 1];
    NDList inputs = new NDList(array(c, KernelCase.many(1, c.count()), shape));
    String name = c.kernel();
    switch (kernel) {
      case LAYER_NORM -> {
        inputs.add(array(c, KernelCase.numbers(3, columns, 1), columns));
        inputs.add(array(c, KernelCase.numbers(4, columns, 1), columns));
      }
      case RMS_NORM -> inputs.add(array(c, KernelCase.numbers(3, columns, 1), columns));
      case GATED_SILU, ADD -> inputs.add(array(c, KernelCase.many(2, c.count()), shape));
      case ROTARY -> {
        inputs.add(rotaryTable(c, true));
        inputs.add(rotaryTable(c, false));
      }
      case CAST -> name = c.isBf16() ? "wide" : "narrow";
      case EMBEDDING -> inputs.add(numbers.create(RowKernel.ids(c.sizes()[0])));
      default -> {}
    }
    if (c.hasResidual()) {
      name = "residual_" + name;
      inputs.add(array(c, KernelCase.many(2, c.count()), shape));
    }
    return new Call(load(name), inputs);
  }

  /** Cosines or sines of each token [tokens, 1, head_size], both halves the same. */
  private NDArray rotaryTable(KernelCase c, boolean cosine) {
    int tokens = c.sizes()[0];
    int size = c.sizes()[2];
    float[] table = KernelCase.rotaryTable(GatunRows.POSITIONS, size / 2, cosine);
    float[] all = new float[tokens * size];
    for (int i = 0; i < all.length; i++) {
      int position = i / size % GatunRows.POSITIONS;
      all[i] = table[position * (size / 2) + i % size % (size / 2)];
    }
    return numbers.create(all, new Shape(tokens, 1, size));
  }

  private void matmul(KernelCase c, List<Call> calls) throws Exception {
    int m = c.sizes()[0];
    int n = c.sizes()[1];
    int k = c.sizes()[2];
    NDArray x = array(c, c.x(), m, k);
    float[] weight = c.weight();
    int copies = KernelCase.copies((long) Cost.of(c).bytes());
    switch (c.type()) {
      case "f32", "bf16" -> {
        Predictor<NDList, NDList> program = load("linear");
        for (int copy = 0; copy < copies; copy++) {
          calls.add(new Call(program, new NDList(x, array(c, weight, n, k))));
        }
      }
      case "w8a8" -> {
        for (int copy = 0; copy < copies; copy++) {
          Predictor<NDList, NDList> program = load("int8_linear");
          NDArray method = numbers.create(0);
          method.setName("module_method:pack");
          try (NDList _ = program.predict(new NDList(method, array(c, weight, n, k)))) {
            calls.add(new Call(program, new NDList(x)));
          }
        }
      }
      default -> {
        Predictor<NDList, NDList> pack = load("int4_pack");
        Predictor<NDList, NDList> program = load("int4_linear");
        Codes codes = Codes.of(weight, n, k);
        for (int copy = 0; copy < copies; copy++) {
          NDArray whole = numbers.create(codes.codes, new Shape(n, k));
          NDArray packed = pack.predict(new NDList(whole)).singletonOrThrow();
          packed.attach(numbers);
          NDArray scales = narrow(numbers.create(codes.scalesAndZeros, new Shape(k / GROUP, n, 2)));
          calls.add(new Call(program, new NDList(x, packed, scales)));
        }
      }
    }
  }

  /** A weight in groups of 32: codes 0 to 15, and (scale, 0) of code 8. */
  private record Codes(int[] codes, float[] scalesAndZeros) {
    static Codes of(float[] weight, int n, int k) {
      BlockFormat format = BlockFormat.int4(GROUP);
      byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
      MemorySegment memory = MemorySegment.ofArray(blocks);
      Quantizer.quantize(
          format, (row, x) -> System.arraycopy(weight, (int) row * k, x, 0, k), n, k, memory);
      int[] codes = new int[n * k];
      float[] scales = new float[k / GROUP * n * 2];
      int bytes = format.blockBytes(k);
      for (int block = 0; block < n * k / GROUP; block++) {
        int row = block / (k / GROUP);
        int g = block % (k / GROUP);
        long at = (long) block * bytes;
        scales[(g * n + row) * 2] =
            Float.float16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
        for (int i = 0; i < GROUP; i++) {
          int both = blocks[(int) at + 2 + i % (GROUP / 2)];
          codes[row * k + g * GROUP + i] = (i < GROUP / 2 ? both : both >> 4) & 15;
        }
      }
      return new Codes(codes, scales);
    }
  }

  /** What a program makes of inputs, kept as long as they are. */
  NDList made(String program, NDList inputs) throws Exception {
    NDList outputs = load(program).predict(inputs);
    outputs.attach(numbers);
    return outputs;
  }

  Call call(String program, NDList inputs) throws Exception {
    return new Call(load(program), inputs);
  }

  NDArray array(KernelCase c, float[] values, long... shape) throws Exception {
    NDArray wide = numbers.create(values, new Shape(shape));
    return c.isBf16() ? narrow(wide) : wide;
  }

  private NDArray narrow(NDArray wide) throws Exception {
    NDArray result = narrow.predict(new NDList(wide)).singletonOrThrow();
    result.attach(numbers);
    wide.close();
    return result;
  }

  private Predictor<NDList, NDList> load(String name) throws Exception {
    Path file = folder.resolve(name + ".pt");
    Files.write(file, program(file.getFileName().toString()));
    ZooModel<NDList, NDList> model =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(file)
            .optEngine("PyTorch")
            .optTranslator(new NoopTranslator())
            .build()
            .loadModel();
    Predictor<NDList, NDList> predictor = model.newPredictor();
    held.add(predictor);
    held.add(model);
    return predictor;
  }

  private static byte[] program(String file) throws IOException {
    try (ZipInputStream programs =
        new ZipInputStream(TorchKernels.class.getResourceAsStream("kernels.zip"))) {
      for (ZipEntry e = programs.getNextEntry(); e != null; e = programs.getNextEntry()) {
        if (e.getName().equals(file)) {
          return programs.readAllBytes();
        }
      }
    }
    throw new IOException("kernels.zip: no %s, expected one".formatted(file));
  }

  record Call(Predictor<NDList, NDList> program, NDList inputs) {}

  /** Calls that differ in their weights only, one after another. */
  private static final class Turns implements Task {
    private final List<Call> calls;
    private final Predictor<NDList, NDList> wide;
    private int turn;

    Turns(List<Call> calls, Predictor<NDList, NDList> wide) {
      this.calls = calls;
      this.wide = wide;
    }

    private NDList next() throws Exception {
      Call call = calls.get(turn);
      turn = (turn + 1) % calls.size();
      return call.program.predict(call.inputs);
    }

    @Override
    public void run() throws Exception {
      next().close();
    }

    @Override
    public float[] result() throws Exception {
      try (NDList outputs = next();
          NDList widened = wide.predict(new NDList(outputs.head()))) {
        return widened.singletonOrThrow().toFloatArray();
      }
    }
  }

  private void closeTask() {
    try {
      for (AutoCloseable each : held) {
        each.close();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    held.clear();
    numbers.close();
  }

  @Override
  public String version() {
    return "libtorch " + Engine.getEngine("PyTorch").getVersion() + " (DJL)";
  }

  @Override
  public void close() {
    closeTask();
    manager.close();
  }
}
