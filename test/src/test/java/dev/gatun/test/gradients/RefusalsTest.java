package dev.gatun.test.gradients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Matmul;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Packing;
import dev.gatun.ops.Quantization;
import dev.gatun.ops.Reductions;
import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ops without a gradient, and ops in place, refuse what is tracked by their name. */
final class RefusalsTest {
  private static final Device CPU = Device.cpu();

  private long before;
  private Scope scope;
  private Tensor x;

  @BeforeEach
  void open() {
    before = CPU.memory().allocatedBytes();
    scope = Scope.open();
    x = Tensor.zeros(CPU, 4, 32);
  }

  @AfterEach
  void close() {
    scope.close();
    assertEquals(before, CPU.memory().allocatedBytes(), "bytes held");
  }

  /** Requires an op on x to be refused while x is tracked, by a message that begins so. */
  private void refused(String name, Runnable op) {
    long held = CPU.memory().allocatedBytes();
    try (Tape _ = Tape.record(x)) {
      String message =
          assertThrows(UnsupportedOperationException.class, op::run, name).getMessage();
      assertTrue(message.startsWith(name) && message.contains("tracked"), message);
    }
    assertEquals(held, CPU.memory().allocatedBytes(), name + ": bytes held");
  }

  @Test
  void in_place() {
    Tensor other = Tensor.zeros(CPU, 4, 32);
    Ids ids = Ids.of(CPU, "id", 4, 0, 1, 2, 3);
    refused("copy", () -> Layouts.copy(other, x));
    refused("copy", () -> Layouts.copy(x, other));
    refused("index_add", () -> Indexing.indexAdd(x, ids, other));
    refused("index_add", () -> Indexing.indexAdd(other, ids, x));
    refused("embedding", () -> Indexing.addEmbedding(x, other, ids));
    refused("embedding", () -> Indexing.addEmbedding(other, x, ids));
    refused("scatter_rows", () -> Indexing.scatterRowsInto(x, other, ids));
    refused("scatter_rows", () -> Indexing.scatterRowsInto(other, x, ids));
    Tensor packed = Packing.pack(other, Storage.F32);
    refused("packed_embedding", () -> Indexing.addPackedEmbedding(x, packed, 4, ids));
  }

  @Test
  void packed_and_quantised_weights() {
    Tensor other = Tensor.zeros(CPU, 4, 32);
    Tensor packed = Packing.pack(other, Storage.F32);
    refused("pack", () -> Packing.pack(x, Storage.F32));
    refused("pack", () -> Packing.pack(x, Storage.F32, packed, 0));
    refused("pack", () -> Packing.packOfExpert(x, Storage.F32, packed, 0));
    refused(
        "linear by a packed weight alone",
        () -> Matmul.linear(x, packed, null, 4, Activation.NONE, DType.F32));
    refused("quantize", () -> Quantization.quantize(x, BlockFormat.Q8_0));
    refused("quantize_tokens", () -> Quantization.quantizeTokens(x, Quantization.Offsets.NONE));
    Tensor blocks = Packing.pack(other, Storage.of(BlockFormat.Q8_0));
    refused(
        "quantized_matmul",
        () ->
            Quantization.linear(
                x,
                blocks,
                BlockFormat.Q8_0,
                QuantizedActivations.EXACT,
                null,
                4,
                Activation.NONE,
                DType.F32));
    Tensor rows = Quantization.quantize(other, BlockFormat.Q8_0);
    refused(
        "block_matmul",
        () ->
            Quantization.blockLinear(
                x,
                rows,
                BlockFormat.Q8_0,
                QuantizedActivations.EXACT,
                null,
                Activation.NONE,
                DType.F32));
    Experts.Routing routing = Experts.route(Tensor.zeros(CPU, 4, 1), 1, true, 1, null);
    refused("matmul_pack", () -> Experts.pack(List.of(x), DType.F32));
    refused(
        "grouped_matmul by packed weights alone",
        () ->
            Experts.linear(
                x, routing.rows(), routing, packed, null, 4, Activation.NONE, DType.F32));
    refused(
        "layer_norm",
        () -> Norm.layerNorm(x, null, null, null, 0, false, Quantization.Offsets.NONE));
    Ids ids = Ids.of(CPU, "id", 4, 0, 1);
    Tensor table = Packing.pack(other, Storage.F32);
    try (Tape tape = Tape.record(x)) {
      tape.track(table);
      assertThrows(
          UnsupportedOperationException.class,
          () -> Indexing.packedEmbedding(table, 4, 32, ids, DType.F32));
    }
  }

  @Test
  void samples_caches_and_slopes() {
    Tensor temperature = Tensor.zeros(CPU, 4);
    Tensor settings = Tensor.zeros(CPU, DType.I64, 4, 4);
    refused("sample", () -> Reductions.sample(x, temperature, settings));
    refused("cumprod", () -> Reductions.cumprod(x, 0));
    Tensor cache = Tensor.zeros(CPU, 1, 4, 2, 4);
    Tensor values = Tensor.zeros(CPU, 1, 4, 2, 4);
    Ids ids = Ids.of(CPU, "id", 4, 0, 1, 2, 3);
    Tensor table = Tensor.zeros(CPU, 4, 2);
    refused(
        "rotary_cache_update",
        () -> Rotary.rotaryCacheUpdate(x, table, table, ids, false, ids, cache, values, null));
    Tensor q = Tensor.zeros(CPU, 1, 2, 4, 8);
    refused(
        "scaled_dot_product_attention as slopes",
        () ->
            Attention.scaledDotProductAttention(
                q,
                null,
                Attention.Keys.padded(q, q),
                Attention.Scores.scaled(1).withSlopes(x.slice(0, 0, 1).slice(1, 0, 4)),
                Attention.Mask.NONE,
                Dropout.NONE,
                false,
                false));
    refused(
        "contiguous",
        () -> Layouts.contiguous(x.strided(0, new long[] {2, 32}, new long[] {0, 1})));
    refused("add", () -> Elementwise.add(x, x.strided(0, new long[] {4, 32}, new long[] {1, 1})));
  }
}
