package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.kernels.formats.Quantizer;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.JoinedLinear;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layers of a file against the same layers of tensors. */
final class LoaderTest {
  private static final Device CPU = Device.cpu();

  private final Arena arena = Arena.ofShared();
  private final Random random = new Random(7);
  private final Tensors file = new Tensors();
  private long before;

  /** Tensors in memory. */
  private static final class Tensors implements TensorFile {
    final Map<String, Entry> entries = new LinkedHashMap<>();
    final Map<String, StoredWeight> blocks = new LinkedHashMap<>();
    final AtomicInteger keepers = new AtomicInteger();
    boolean isKept;

    @Override
    public Optional<StoredWeight> stored(String name) {
      return Optional.ofNullable(blocks.get(name));
    }

    @Override
    public Optional<AutoCloseable> keepOpen() {
      keepers.addAndGet(isKept ? 1 : 0);
      return isKept ? Optional.of(keepers::decrementAndGet) : Optional.empty();
    }

    @Override
    public Set<String> names() {
      return entries.keySet();
    }

    @Override
    public Entry get(String name) {
      if (!entries.containsKey(name)) {
        throw new WeightsException("no tensor " + name);
      }
      return entries.get(name);
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public void close() {}
  }

  @BeforeEach
  void count() {
    before = CPU.memory().allocatedBytes();
  }

  @AfterEach
  void nothing_is_left() {
    arena.close();
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  /** Adds a random tensor and gives what its numbers are as floats. */
  private float[] add(String name, DType dtype, long... shape) {
    int count = 1;
    for (long axis : shape) {
      count *= (int) axis;
    }
    MemorySegment data = arena.allocate((long) count * dtype.bytes(), 64);
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      float x = (float) random.nextGaussian();
      switch (dtype) {
        case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, x);
        case F64 -> data.setAtIndex(ValueLayout.JAVA_DOUBLE, i, x);
        case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(x));
        default ->
            data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(x) >>> 16));
      }
      floats[i] = Numbers.at(data, dtype, i);
    }
    file.entries.put(name, new TensorFile.Entry(name, dtype, shape, data, "memory"));
    return floats;
  }

  private Loader loader(Storage storage, Compute compute) {
    return loader(WeightTypes.of(storage), compute);
  }

  private Loader loader(WeightTypes types, Compute compute) {
    return new Loader(file, "memory", CPU, null, types, compute);
  }

  private static float[] forward(Linear linear, float[] x, long in) {
    try (Tensor rows = Tensor.of(CPU, x, x.length / in, in);
        Tensor y = linear.forward(rows)) {
      return y.toFloatArray();
    }
  }

  private float[] input(int count) {
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** A layer's weight in blocks, which can be had as floats too. */
  private StoredWeight.Blocks addBlocks(String name, BlockFormat format, int out, int in) {
    add(name, DType.F32, out, in);
    MemorySegment data = arena.allocate(out * format.rowBytes(in), 64);
    Quantizer.quantize(format, (row, x) -> Arrays.fill(x, 1 + row % 7), out, in, data);
    StoredWeight.Blocks blocks = new StoredWeight.Blocks(data, format, out, in);
    file.blocks.put(name, blocks);
    return blocks;
  }

  private static Linear mappedLayers(Loader loader) {
    return loader.linear(
        List.of(new Loader.Layer("q", 40, true), new Loader.Layer("k", 72, false)),
        256,
        Activation.NONE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void blocks_stay_in_a_file_that_can_be_kept_and_else_are_packed(boolean isKept) throws Exception {
    file.isKept = isKept;
    addBlocks("q.weight", BlockFormat.Q4_K, 40, 256);
    StoredWeight keys = addBlocks("k.weight", BlockFormat.Q6_K, 72, 256);
    file.blocks.put("k.weight", new Reordered(keys, row -> 71 - row));
    add("q.bias", DType.F32, 40);
    float[] x = input(2 * 256);
    WeightTypes types = WeightTypes.of(Storage.F32);
    float[] packed;
    try (Loader loader = loader(types, Compute.EXACT);
        Linear linear = mappedLayers(loader);
        Scope _ = Scope.open()) {
      packed = forward(linear, x, 256);
    }
    assertEquals(0, file.keepers.get());
    try (Loader loader = loader(types.withMapped(true), Compute.EXACT);
        Linear linear = mappedLayers(loader);
        Scope _ = Scope.open()) {
      assertArrayEquals(packed, forward(linear, x, 256));
      assertEquals(isKept ? 1 : 0, file.keepers.get());
      System.setProperty("gatun.strict", "true");
      if (isKept) {
        for (AutoCloseable part : loader.handOver()) {
          part.close();
        }
      } else {
        String told = assertThrows(IllegalArgumentException.class, loader::handOver).getMessage();
        assertTrue(
            told.startsWith(
                "memory: 2 weights are packed, for they cannot stay in the mapped file: q, k"),
            told);
      }
    } finally {
      System.clearProperty("gatun.strict");
    }
    assertEquals(0, file.keepers.get(), "the file is given up with what was made of it");
  }

  @Test
  void a_named_layer_is_kept_wider_with_what_it_is_packed_with() {
    for (String name : new String[] {"q", "k", "o"}) {
      add(name + ".weight", DType.F32, 40, 64);
    }
    List<Loader.Layer> joined =
        List.of(new Loader.Layer("q", 40, false), new Loader.Layer("k", 40, false));
    Loader.Layer other = new Loader.Layer("o", 40, false);
    Storage narrow = Storage.of(BlockFormat.int4(32));
    WeightTypes types = WeightTypes.of(narrow).withWider(Storage.F32, List.of("k"));
    float[] x = input(3 * 64);
    try (Loader mixed = loader(types, Compute.EXACT);
        Loader wide = loader(Storage.F32, Compute.EXACT);
        Loader all = loader(narrow, Compute.EXACT)) {
      assertArrayEquals(
          forward(wide.linear(joined, 64, Activation.NONE), x, 64),
          forward(mixed.linear(joined, 64, Activation.NONE), x, 64));
      assertArrayEquals(
          forward(all.linear(other, 64, Activation.NONE), x, 64),
          forward(mixed.linear(other, 64, Activation.NONE), x, 64));
      assertEquals(List.of(List.of("q", "k"), List.of("o")), mixed.linearLayers());
      mixed.handOver().forEach(LoaderTest::close);
    }
    try (Loader loader = loader(types.withWider(Storage.F32, List.of("k", "z")), Compute.EXACT)) {
      loader.linear(joined, 64, Activation.NONE);
      String message = assertThrows(IllegalArgumentException.class, loader::handOver).getMessage();
      assertTrue(message.contains("no linear layers z; it has 2, such as [k, q]"), message);
    }
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Widths of no whole panel, dtypes that differ, and a bias that one layer lacks. */
  @ParameterizedTest
  @CsvSource({
    "64, F32, F32 F32 F32",
    "64, F32, BF16 BF16 BF16",
    "64, BF16, BF16 BF16 BF16",
    "64, F16, F16 BF16 F64",
    "63, BF16, F32 F32 F32",
    "63, F32, F64 F64 F64",
    "64, INT4:32, BF16 BF16 BF16",
    "64, INT8, F16 F32 F64",
    "256, Q4_K, F32 F32 BF16"
  })
  void joined_layers_are_one(int in, String kept, String dtypes) {
    Storage storage =
        kept.matches("B?F[0-9]+")
            ? Storage.of(DType.valueOf(kept))
            : Storage.of(BlockFormat.of(kept));
    int[] widths = {80, 33, 47};
    String[] names = {"q", "k", "v"};
    float[] weights = new float[160 * in];
    float[] biases = new float[160];
    int at = 0;
    for (int i = 0; i < 3; i++) {
      DType dtype = DType.valueOf(dtypes.split(" ")[i]);
      float[] weight = add(names[i] + ".weight", dtype, widths[i], in);
      System.arraycopy(weight, 0, weights, at * in, weight.length);
      if (i != 1) {
        System.arraycopy(add(names[i] + ".bias", dtype, widths[i]), 0, biases, at, widths[i]);
      }
      at += widths[i];
    }
    float[] x = input(5 * in);
    try (Loader loader = loader(storage, Compute.EXACT);
        Tensor weight = Tensor.of(CPU, weights, 160, in);
        Linear expected =
            Linear.of(
                weight, Tensor.of(CPU, biases, 160), Activation.NONE, storage, Compute.EXACT)) {
      Linear joined =
          loader.linear(
              List.of(
                  new Loader.Layer("q", 80, true),
                  new Loader.Layer("k", 33, false),
                  new Loader.Layer("v", 47, true)),
              in,
              Activation.NONE);
      assertTrue(!(joined instanceof JoinedLinear), joined.toString());
      assertArrayEquals(forward(expected, x, in), forward(joined, x, in));
      assertEquals(List.of("q.weight", "k.weight", "v.weight"), loader.linearWeights());
      assertEquals(List.of(), loader.unused(name -> false));
    }
  }

  /** More rows than a part has, so that parts meet inside of a weight and between two. */
  @Test
  void a_weight_of_several_parts_is_the_same() {
    int in = 2048;
    float[] first = add("a.weight", DType.F32, 2100, in);
    float[] second = add("b.weight", DType.F32, 2013, in);
    float[] all = new float[first.length + second.length];
    System.arraycopy(first, 0, all, 0, first.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    float[] x = input(in);
    try (Loader loader = loader(Storage.BF16, Compute.EXACT);
        Tensor weight = Tensor.of(CPU, all, 4113, in);
        Linear expected = Linear.of(weight, null, Activation.NONE, Storage.BF16, Compute.EXACT)) {
      Linear joined =
          loader.linear(
              List.of(new Loader.Layer("a", 2100, false), new Loader.Layer("b", 2013, false)),
              in,
              Activation.NONE);
      assertArrayEquals(forward(expected, x, in), forward(joined, x, in));
    }
  }

  @Test
  void blocks_of_a_file_are_kept() {
    int in = 64;
    BlockFormat format = BlockFormat.Q4_0;
    float[] weight = input(50 * in);
    MemorySegment blocks = arena.allocate(50 * format.rowBytes(in), 64);
    Quantizer.quantize(
        format, (row, x) -> System.arraycopy(weight, (int) row * in, x, 0, in), 50, in, blocks);
    float[] x = input(3 * in);
    WeightPacker packer = new WeightPacker(new FileParts(), CPU, Storage.F32, Compute.EXACT);
    StoredWeight stored = new StoredWeight.Blocks(blocks, format, 50, in);
    try (Tensor floats = Tensor.of(CPU, weight, 50, in);
        Linear expected =
            Linear.of(floats, null, Activation.NONE, Storage.of(format), Compute.EXACT);
        Linear kept = packer.linear(List.of(stored), null, Activation.NONE)) {
      assertArrayEquals(forward(expected, x, in), forward(kept, x, in));
    }
  }

  @Test
  void tables_stay_as_narrow_as_they_are() throws Exception {
    float[] table = add("words.weight", DType.BF16, 10, 32);
    try (Loader loader = loader(Storage.F32, Compute.EXACT)) {
      Embedding words = loader.embedding("words.weight", 10, 32);
      List<AutoCloseable> parts = loader.handOver();
      assertEquals(DType.BF16, words.table().dtype());
      assertLooksUp(table, words);
      closeAll(parts);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32, true",
    "BF16, BF16, true",
    "F16, F16, true",
    "BF16, F32, true",
    "F16, BF16, false",
    "F32, BF16, false",
    "F32, F16, false",
  })
  void a_tied_layer_and_its_table_are_one_storage_where_their_numbers_are_the_same(
      DType stored, DType kept, boolean shared) throws Exception {
    float[] table = add("words.weight", stored, 40, 32);
    long before = CPU.memory().allocatedBytes();
    try (Loader loader = loader(Storage.of(kept), Compute.EXACT)) {
      Embedding words = loader.embedding("words.weight", 40, 32);
      Linear tied = loader.tied(words, null);
      List<AutoCloseable> parts = loader.handOver();
      long panels = 2 * MatmulPack.PANEL * 32L * kept.bytes();
      assertEquals(
          panels + (shared ? 0 : 40 * 32L * stored.bytes()),
          CPU.memory().allocatedBytes() - before);
      assertLooksUp(table, words);
      float[] x = input(3 * 32);
      try (Tensor weight = Tensor.of(CPU, table, 40, 32);
          Linear expected =
              Linear.of(weight, null, Activation.NONE, Storage.of(kept), Compute.EXACT)) {
        assertArrayEquals(forward(expected, x, 32), forward(tied, x, 32));
      }
      closeAll(parts);
    }
    assertEquals(before, CPU.memory().allocatedBytes());
  }

  @Test
  void a_table_in_blocks_has_other_numbers_and_is_kept_beside_them() throws Exception {
    float[] table = add("words.weight", DType.F32, 40, 32);
    try (Loader loader = loader(Storage.of(BlockFormat.Q4_0), Compute.EXACT)) {
      Embedding words = loader.embedding("words.weight", 40, 32);
      loader.tied(words, null);
      List<AutoCloseable> parts = loader.handOver();
      assertLooksUp(table, words);
      closeAll(parts);
    }
  }

  @Test
  void a_table_of_another_file_has_no_tied_layer_here() {
    try (Loader loader = loader(Storage.F32, Compute.EXACT)) {
      Embedding other = new Embedding(10, 32, DType.F32, DType.F32);
      assertEquals(
          "tied: the table is not of this file, or has an output layer already",
          assertThrows(IllegalArgumentException.class, () -> loader.tied(other, null))
              .getMessage());
    }
  }

  private static void assertLooksUp(float[] table, Embedding words) {
    long[] ids = {3, 9, 3};
    int features = (int) words.features();
    float[] expected = new float[3 * features];
    for (int i = 0; i < 3; i++) {
      System.arraycopy(table, (int) ids[i] * features, expected, i * features, features);
    }
    try (Ids three = Ids.of(CPU, "ids", words.rows(), ids);
        Tensor rows = words.forward(three);
        Tensor twice = words.forward(three)) {
      assertArrayEquals(expected, rows.toFloatArray());
      words.addTo(twice, three);
      for (int i = 0; i < expected.length; i++) {
        expected[i] *= 2;
      }
      assertArrayEquals(expected, twice.toFloatArray());
    }
  }

  private static void closeAll(List<AutoCloseable> parts) throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16", "F16", "F64"})
  void tables_of_any_type_are_read_as_their_numbers(DType dtype) throws Exception {
    float[] table = add("words.weight", dtype, 10, 33);
    try (Loader loader = loader(Storage.F32, Compute.EXACT)) {
      Embedding words = loader.embedding("words.weight", 10, 33);
      List<AutoCloseable> parts = loader.handOver();
      assertLooksUp(table, words);
      closeAll(parts);
    }
  }

  /** Weights that a file has as [in_features, out_features]. */
  @ParameterizedTest
  @CsvSource({
    "F32, F32",
    "BF16, F32",
    "F16, F32",
    "F64, F32",
    "BF16, BF16",
    "F16, BF16",
    "F64, BF16",
    "F16, F16",
    "F64, F16",
    "BF16, INT4:32",
    "F64, INT8"
  })
  void transposed_weights_are_those_of_any_type(DType dtype, String kept) {
    int in = 64;
    int out = 37;
    Storage storage =
        kept.matches("B?F[0-9]+")
            ? Storage.of(DType.valueOf(kept))
            : Storage.of(BlockFormat.of(kept));
    float[] stored = add("t.weight", dtype, in, out);
    float[] bias = add("t.bias", dtype, out);
    float[] turned = new float[stored.length];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        turned[o * in + i] = stored[i * out + o];
      }
    }
    float[] x = input(3 * in);
    try (Loader loader = loader(storage, Compute.EXACT);
        Tensor weight = Tensor.of(CPU, turned, out, in);
        Linear expected =
            Linear.of(weight, Tensor.of(CPU, bias, out), Activation.NONE, storage, Compute.EXACT)) {
      Linear linear = loader.transposed(new Loader.Layer("t", out, true), in, Activation.NONE);
      assertArrayEquals(forward(expected, x, in), forward(linear, x, in));
    }
  }

  @Test
  void numbers_that_are_no_floats_are_named() {
    MemorySegment data = arena.allocate(4 * 6, 64);
    file.entries.put(
        "x.weight", new TensorFile.Entry("x.weight", DType.I32, new long[] {2, 3}, data, "a/file"));
    try (Loader loader = loader(Storage.F32, Compute.EXACT)) {
      assertEquals(
          "a/file: tensor 'x.weight' is I32, expected a floating-point type",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> loader.linear(new Loader.Layer("x", 2, false), 3, Activation.NONE))
              .getMessage());
      assertEquals(
          "a/file: tensor 'x.weight' has shape [2, 3], config.json says [3, 2]",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> loader.linear(new Loader.Layer("x", 3, false), 2, Activation.NONE))
              .getMessage());
    }
  }

  @Test
  void a_narrow_residual_stream_needs_narrow_weights() {
    assertEquals(
        "a residual stream of BF16 with weights as F32: their products take and give F32",
        assertThrows(
                IllegalArgumentException.class,
                () -> loader(Storage.F32, Compute.EXACT.withResidual(DType.BF16)))
            .getMessage());
  }
}
