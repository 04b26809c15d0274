package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.kernels.api.call.attention.AttentionKeys;
import dev.gatun.kernels.api.call.attention.AttentionMask;
import dev.gatun.kernels.api.call.attention.AttentionScores;
import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.attention.RotaryCacheUpdate;
import dev.gatun.kernels.api.call.attention.RotaryEmbedding;
import dev.gatun.kernels.api.call.attention.ScaledDotProductAttention;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.call.norm.RmsNorm;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.formats.Packer;
import dev.gatun.kernels.formats.Quantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;

/** One row of the timing table: a call with operands of its own, filled at random. */
final class GpuRow implements AutoCloseable {
  private static final int PATTERN = 1 << 20;

  private final Backend backend;
  private final DType dtype;
  private final List<Buffer> buffers = new ArrayList<>();
  private final Random random = new Random(1);
  private final Runnable call;
  private long bytes;

  GpuRow(Backend backend, JsonNode row) {
    this.backend = backend;
    this.dtype = DType.valueOf(row.get("dtype").asText());
    this.call = make(row);
  }

  /** Submits the call. */
  void run() {
    call.run();
  }

  /** Bytes of all operands, each counted once. */
  long bytes() {
    return bytes;
  }

  /** Waits for all that was submitted. */
  void await() {
    try (Arena arena = Arena.ofConfined()) {
      backend.memory().read(buffers.getFirst(), 0, arena.allocate(4));
    }
  }

  private Runnable make(JsonNode row) {
    return switch (row.get("kernel").asText()) {
      case "attention" -> attention(row);
      case "matmul" -> matmul(row.get("m").asLong(), row.get("n").asLong(), row.get("k").asLong());
      case "quantized_matmul" -> quantizedMatmul(row);
      case "rotary", "rotary_cache" -> rotary(row);
      default ->
          rows(row.get("kernel").asText(), row.get("rows").asLong(), row.get("columns").asLong());
    };
  }

  private Runnable attention(JsonNode row) {
    long batch = row.get("batch").asLong();
    long heads = row.get("heads").asLong();
    long kvHeads = row.get("kv_heads").asLong();
    long size = row.get("head_size").asLong();
    Operand query = filled(dtype, batch, row.get("queries").asLong(), heads, size);
    Operand key = filled(dtype, batch, row.get("keys").asLong(), kvHeads, size);
    Operand value = filled(dtype, batch, row.get("keys").asLong(), kvHeads, size);
    Operand output = filled(dtype, query.shape());
    ScaledDotProductAttention attention =
        new ScaledDotProductAttention(
            query,
            key,
            value,
            output,
            null,
            AttentionKeys.PADDED,
            AttentionScores.scaled((float) (1 / Math.sqrt(size))),
            AttentionMask.of(row.get("causal").asBoolean() ? Causal.BOTTOM_RIGHT : Causal.NONE),
            Dropout.NONE,
            null,
            null);
    return () -> backend.kernels().run(attention);
  }

  private Runnable matmul(long m, long n, long k) {
    Operand x = filled(dtype, m, k);
    Operand weight = filled(dtype, n, k);
    Operand packed = filled(dtype, MatmulPack.packedCount(dtype, n, k));
    bytes -= packed.count() * dtype.bytes();
    Operand y = filled(dtype, m, n);
    backend.kernels().run(new MatmulPack(weight, packed));
    Matmul matmul = new Matmul(x, packed, null, Activation.NONE, y);
    return () -> backend.kernels().run(matmul);
  }

  /** The weight is one panel of quantised random numbers again and again. */
  private Runnable quantizedMatmul(JsonNode row) {
    long n = row.get("n").asLong();
    int k = row.get("k").asInt();
    BlockFormat format = BlockFormat.of(row.get("format").asText());
    byte[] blocks = new byte[(int) (PackedLayout.PANEL * format.rowBytes(k))];
    Quantizer.quantize(
        format,
        (r, x) -> {
          Random numbers = new Random(r);
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) numbers.nextGaussian();
          }
        },
        PackedLayout.PANEL,
        k,
        MemorySegment.ofArray(blocks));
    MemorySegment panel =
        MemorySegment.ofArray(new byte[(int) format.layout().packedBytes(PackedLayout.PANEL, k)]);
    Packer.pack(
        format, MemorySegment.ofArray(blocks), format.rowBytes(k), PackedLayout.PANEL, k, panel);
    Buffer packed = backend.memory().allocate(format.layout().packedBytes(n, k));
    buffers.add(packed);
    bytes += packed.byteSize();
    for (long done = 0; done < packed.byteSize(); done += panel.byteSize()) {
      backend.memory().write(panel, packed, done);
    }
    Operand x = filled(dtype, row.get("m").asLong(), k);
    QuantizedMatmul matmul =
        new QuantizedMatmul(
            format.layout(),
            QuantizedActivations.valueOf(row.get("activations").asText()),
            x,
            Operand.of(packed, DType.U8, packed.byteSize()),
            null,
            Activation.NONE,
            filled(dtype, x.size(0), n));
    return () -> backend.kernels().run(matmul);
  }

  private Runnable rotary(JsonNode row) {
    long tokens = row.get("tokens").asLong();
    long heads = row.get("heads").asLong();
    long size = row.get("head_size").asLong();
    Operand cosine = filled(DType.F32, tokens, size / 2);
    Operand sine = filled(DType.F32, tokens, size / 2);
    Operand places = numbered(tokens);
    Operand query = filled(dtype, tokens, heads, size);
    if (row.get("kernel").asText().equals("rotary")) {
      Operand x = filled(dtype, tokens, heads, size);
      RotaryEmbedding rotary = new RotaryEmbedding(x, cosine, sine, places, false, query);
      return () -> backend.kernels().run(rotary);
    }
    long kvHeads = row.get("kv_heads").asLong();
    RotaryCacheUpdate update =
        new RotaryCacheUpdate(
            filled(dtype, tokens, (heads + 2 * kvHeads) * size),
            cosine,
            sine,
            places,
            false,
            places,
            query,
            filled(dtype, 1, tokens, kvHeads, size),
            filled(dtype, 1, tokens, kvHeads, size));
    return () -> backend.kernels().run(update);
  }

  private Runnable rows(String kernel, long rows, long columns) {
    Operand x = filled(dtype, rows, columns);
    Operand y = filled(dtype, rows, columns);
    switch (kernel) {
      case "rms_norm" -> {
        RmsNorm norm = new RmsNorm(x, null, filled(dtype, columns), 0, 1e-6f, y, null);
        return () -> backend.kernels().run(norm);
      }
      case "layer_norm" -> {
        Operand weight = filled(dtype, columns);
        LayerNorm norm = new LayerNorm(x, null, weight, filled(dtype, columns), 1e-5f, y, null);
        return () -> backend.kernels().run(norm);
      }
      case "softmax" -> {
        Softmax softmax = new Softmax(x, false, y);
        return () -> backend.kernels().run(softmax);
      }
      case "gelu" -> {
        Activate gelu = new Activate(x, Activation.GELU, y);
        return () -> backend.kernels().run(gelu);
      }
      case "silu_gate" -> {
        GatedActivation gate =
            new GatedActivation(x, filled(dtype, rows, columns), Activation.SILU, y);
        return () -> backend.kernels().run(gate);
      }
      case "add" -> {
        Elementwise add = new Elementwise(x, filled(dtype, rows, columns), BinaryOp.ADD, y);
        return () -> backend.kernels().run(add);
      }
      default -> throw new IllegalArgumentException("shapes.json: no kernel '" + kernel + "'");
    }
  }

  /** The numbers from 0 on. */
  private Operand numbered(long count) {
    Buffer buffer = backend.memory().allocate(count * Long.BYTES);
    buffers.add(buffer);
    bytes += buffer.byteSize();
    try (Arena arena = Arena.ofConfined()) {
      long[] numbers = LongStream.range(0, count).toArray();
      backend.memory().write(arena.allocateFrom(ValueLayout.JAVA_LONG, numbers), buffer, 0);
    }
    return Operand.of(buffer, DType.I64, count);
  }

  /** An operand of random numbers around 0, a long one repeating itself. */
  private Operand filled(DType type, long... shape) {
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    Buffer buffer = backend.memory().allocate(count * type.bytes());
    buffers.add(buffer);
    bytes += buffer.byteSize();
    try (Arena arena = Arena.ofConfined()) {
      int part = (int) Math.min(count, PATTERN);
      MemorySegment pattern = arena.allocate((long) part * type.bytes(), 64);
      for (int i = 0; i < part; i++) {
        float number = (float) random.nextGaussian();
        if (type == DType.F32) {
          pattern.setAtIndex(ValueLayout.JAVA_FLOAT, i, number);
        } else {
          int bits =
              type == DType.BF16
                  ? Float.floatToRawIntBits(number) >>> 16
                  : Float.floatToFloat16(number);
          pattern.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) bits);
        }
      }
      for (long done = 0; done < buffer.byteSize(); done += pattern.byteSize()) {
        long length = Math.min(pattern.byteSize(), buffer.byteSize() - done);
        backend.memory().write(pattern.asSlice(0, length), buffer, done);
      }
    }
    return Operand.of(buffer, type, shape);
  }

  @Override
  public void close() {
    buffers.forEach(Buffer::close);
  }
}
