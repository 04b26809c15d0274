package dev.gatun.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The Transformer of "Attention Is All You Need" (arXiv 1706.03762) put together of {@link
 * MultiHeadAttention} and {@link PositionalEncoding}, against PyTorch's own.
 */
final class PaperTransformerTest {
  private static final Device CPU = Device.cpu();
  private static final int WIDTH = 16;
  private static final int HEADS = 4;
  private static final int VOCABULARY = 23;
  private static final int LAYERS = 2;

  /** Weights by their names below a prefix. */
  private record Weights(TensorFile file, String prefix) {
    Weights sub(String name) {
      return new Weights(file, prefix + name + ".");
    }

    Tensor take(String name) {
      TensorFile.Entry entry = file.get(prefix + name);
      return Tensor.of(CPU, entry.data().toArray(ValueLayout.JAVA_FLOAT), entry.shape());
    }

    Linear linear(String name, Activation activation) {
      return Linear.of(take(name + ".weight"), take(name + ".bias"), activation);
    }

    LayerNorm norm(String name) {
      return new LayerNorm(take(name + ".weight"), take(name + ".bias"), 1e-5f);
    }

    MultiHeadAttention attention(String name) {
      Weights own = sub(name);
      return new MultiHeadAttention(
          own.linear("w_q", Activation.NONE),
          own.linear("w_k", Activation.NONE),
          own.linear("w_v", Activation.NONE),
          own.linear("w_o", Activation.NONE),
          HEADS);
    }
  }

  /** Section 3.3: {@code max(0, x W1 + b1) W2 + b2}. */
  private record FeedForward(Linear linear1, Linear linear2) {
    static FeedForward of(Weights weights) {
      return new FeedForward(
          weights.linear("linear1", Activation.RELU), weights.linear("linear2", Activation.NONE));
    }

    Tensor forward(Tensor x) {
      return linear2.forward(linear1.forward(x));
    }
  }

  /** Section 3.1, figure 1 on the left. */
  private record EncoderBlock(
      MultiHeadAttention selfAttention, LayerNorm norm1, FeedForward fed, LayerNorm norm2) {
    static EncoderBlock of(Weights weights) {
      return new EncoderBlock(
          weights.attention("self"),
          weights.norm("norm1"),
          FeedForward.of(weights),
          weights.norm("norm2"));
    }

    Tensor forward(Tensor x, Tensor padding) {
      Tensor seen = norm1.forward(selfAttention.forward(x, x, x, padding, false).output(), x);
      return norm2.forward(fed.forward(seen), seen);
    }
  }

  /** Figure 1 on the right. */
  private record DecoderBlock(
      MultiHeadAttention selfAttention,
      LayerNorm norm1,
      MultiHeadAttention crossAttention,
      LayerNorm norm2,
      FeedForward fed,
      LayerNorm norm3) {
    static DecoderBlock of(Weights weights) {
      return new DecoderBlock(
          weights.attention("self"),
          weights.norm("norm1"),
          weights.attention("cross"),
          weights.norm("norm2"),
          FeedForward.of(weights),
          weights.norm("norm3"));
    }

    Tensor forward(Tensor x, Tensor causal, Tensor memory, Tensor padding) {
      Tensor own = norm1.forward(selfAttention.forward(x, x, x, causal, false).output(), x);
      MultiHeadAttention.Result cross = crossAttention.forward(own, memory, memory, padding, false);
      Tensor seen = norm2.forward(cross.output(), own);
      return norm3.forward(fed.forward(seen), seen);
    }
  }

  /** The whole: the table of embeddings is the output layer too (section 3.4). */
  private record Transformer(
      Tensor embeddings,
      PositionalEncoding positions,
      List<EncoderBlock> encoder,
      List<DecoderBlock> decoder,
      Linear output) {
    static Transformer of(Weights weights) {
      List<EncoderBlock> encoder = new ArrayList<>();
      List<DecoderBlock> decoder = new ArrayList<>();
      for (int i = 0; i < LAYERS; i++) {
        encoder.add(EncoderBlock.of(weights.sub("encoder." + i)));
        decoder.add(DecoderBlock.of(weights.sub("decoder." + i)));
      }
      Tensor table = weights.take("embeddings");
      return new Transformer(
          table,
          new PositionalEncoding(CPU, WIDTH, 32),
          encoder,
          decoder,
          Linear.of(table, null, Activation.NONE));
    }

    private Tensor embed(long[][] ids) {
      long[] flat = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
      Tensor rows = Indexing.embedding(embeddings, Ids.of(CPU, "ids", VOCABULARY, flat));
      Tensor scaled =
          Elementwise.multiply(rows, Tensor.of(CPU, new float[] {(float) Math.sqrt(WIDTH)}, 1));
      return positions.forward(scaled.reshape(ids.length, ids[0].length, WIDTH));
    }

    /**
     * @param padding [batch, 1, 1, length], 0 for padding
     */
    Tensor encode(long[][] source, Tensor padding) {
      Tensor x = embed(source);
      for (EncoderBlock block : encoder) {
        x = block.forward(x, padding);
      }
      return x;
    }

    Tensor decode(long[][] target, Tensor memory, Tensor padding) {
      int length = target[0].length;
      float[] seen = new float[length * length];
      for (int i = 0; i < seen.length; i++) {
        seen[i] = i % length <= i / length ? 1 : 0;
      }
      Tensor causal = Tensor.of(CPU, seen, length, length);
      Tensor x = embed(target);
      for (DecoderBlock block : decoder) {
        x = block.forward(x, causal, memory, padding);
      }
      return x;
    }
  }

  @Test
  void equals_the_layers_of_pytorch() throws IOException {
    try (Scope _ = Scope.open();
        TensorFile file =
            TensorFile.open(Path.of("../../test/goldens/paper-transformer/expected.safetensors"))) {
      Transformer transformer = Transformer.of(new Weights(file, "weight."));
      Tensor padding =
          Layouts.contiguous(new Weights(file, "in.").take("padding")).reshape(3, 1, 1, 9);
      Tensor memory = transformer.encode(ids(file, "in.source"), padding);
      close(file, "out.memory", memory, floats(file, "in.padding"));
      Tensor states = transformer.decode(ids(file, "in.target"), memory, padding);
      close(file, "out.states", states, null);
      close(file, "out.scores", transformer.output.forward(states), null);
    }
  }

  private static long[][] ids(TensorFile file, String name) {
    TensorFile.Entry entry = file.get(name);
    long[] all = entry.data().toArray(ValueLayout.JAVA_LONG);
    long[][] rows = new long[(int) entry.shape()[0]][];
    int columns = all.length / rows.length;
    Arrays.setAll(rows, r -> Arrays.copyOfRange(all, r * columns, (r + 1) * columns));
    return rows;
  }

  private static float[] floats(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Compares the rows where the mask is 1; all without one. */
  private static void close(TensorFile file, String name, Tensor result, float[] mask) {
    float[] want = floats(file, name);
    float[] got = result.toFloatArray();
    assertEquals(want.length, got.length, name);
    int columns = (int) result.size(result.rank() - 1);
    float largest = 0;
    float worst = 0;
    for (int i = 0; i < want.length; i++) {
      if (mask == null || mask[i / columns] == 1) {
        largest = Math.max(largest, Math.abs(want[i]));
        worst = Math.max(worst, Math.abs(want[i] - got[i]));
      }
    }
    assertTrue(worst <= 1e-4 * largest, "%s: off by %g of %g".formatted(name, worst, largest));
  }
}
