package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.recurrent.LSTM;
import ai.djl.training.ParameterStore;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Methods that DJL's PyTorch engine lacks or has in another way, by values from paper. */
final class OwnMethodsTest {
  /** What is asserted with arrays. */
  interface Asserts {
    void run(NDManager manager);
  }

  private static void with(Asserts asserts) throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = Engine.getEngine("Gatun").newBaseManager()) {
            asserts.run(manager);
          }
        });
  }

  private static void equal(NDArray got, float... expected) {
    assertArrayEquals(expected, got.toFloatArray(), 1e-5f);
  }

  @Test
  void inverse_hyperbolic_functions() throws Exception {
    with(
        m -> {
          equal(m.create(new float[] {-1, 0, 2}).asinh(), -0.8813736f, 0, 1.4436355f);
          equal(m.create(new float[] {1, 2}).acosh(), 0, 1.3169579f);
          equal(m.create(new float[] {-0.5f, 0.5f}).atanh(), -0.5493061f, 0.5493061f);
        });
  }

  @Test
  void numbers_of_bfloat16_are_read() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {1, 2.5f}).toType(DataType.BFLOAT16, false);
          equal(x, 1, 2.5f);
          assertTrue(x.allClose(x.duplicate()));
          assertEquals("ND: (2) cpu() bfloat16\n[1. , 2.5]\n", x.toString());
        });
  }

  @Test
  void reductions_over_several_axes() throws Exception {
    with(
        m -> {
          NDArray x = m.arange(8f).reshape(2, 2, 2);
          equal(x.max(new int[] {0, 2}), 5, 7);
          equal(x.min(new int[] {0, 2}), 0, 2);
          equal(x.mean(new int[] {1, 2}), 1.5f, 5.5f);
          equal(x.prod(new int[] {1, 2}), 0, 840);
          assertEquals(3.5f, m.arange(8).mean().getFloat());
        });
  }

  @Test
  void shapes() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[][] {{1, 2}, {3, 4}});
          equal(x.tile(1, 2), 1, 2, 1, 2, 3, 4, 3, 4);
          equal(x.tile(new Shape(4, 2)), 1, 2, 3, 4, 1, 2, 3, 4);
          equal(x.trace(), 5);
          equal(x.trace(1), 2);
          equal(m.eye(2, 3, 1), 0, 1, 0, 0, 0, 1);
          equal(m.linspace(0f, 1f, 4, false), 0, 0.25f, 0.5f, 0.75f);
          equal(x.expandDims(0).batchDot(x.expandDims(0)), 7, 10, 15, 22);
        });
  }

  @Test
  void sequences_are_masked() throws Exception {
    with(
        m -> {
          NDArray x = m.ones(new Shape(2, 3));
          equal(x.sequenceMask(m.create(new int[] {1, 3}), -1), 1, -1, -1, 1, 1, 1);
          equal(x.sequenceMask(m.create(new int[] {0, 2})), 0, 0, 0, 1, 1, 0);
          equal(m.ones(new Shape(2, 3, 0)).sequenceMask(m.create(new int[] {0, 2})));
        });
  }

  @Test
  void one_hot_with_values() throws Exception {
    with(
        m -> {
          NDArray hot = m.create(new int[] {1, 0}).oneHot(2, 5, -1, m.create(1f).getDataType());
          equal(hot, -1, 5, 5, -1);
        });
  }

  @Test
  void averages_leave_the_padding_out() throws Exception {
    with(
        m ->
            equal(
                m.create(new float[] {2, 4}, new Shape(1, 1, 2))
                    .getNDArrayInternal()
                    .avgPool(new Shape(2), new Shape(1), new Shape(1), false, false),
                2,
                3,
                4));
  }

  @Test
  void deconvolution_spreads_the_kernel() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {1, 2}, new Shape(1, 1, 2));
          NDArray w = m.create(new float[] {1, 10, 100}, new Shape(1, 1, 3));
          NDList y =
              x.getNDArrayInternal()
                  .deconvolution(
                      x, w, null, new Shape(2), new Shape(0), new Shape(0), new Shape(1), 1);
          equal(y.get(0), 1, 10, 102, 20, 200);
        });
  }

  @Test
  void prelu_has_a_slope_a_channel() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {-1, 1, -2, 2}, new Shape(1, 2, 2));
          NDArray slopes = m.create(new float[] {0.5f, 0.25f});
          equal(x.getNDArrayInternal().prelu(x, slopes).get(0), -0.5f, 1, -0.5f, 2);
        });
  }

  @Test
  void dropout_keeps_the_mean() throws Exception {
    with(
        m -> {
          NDArray x = m.ones(new Shape(20_000));
          NDArray y = x.getNDArrayInternal().dropout(x, 0.25f, true).get(0);
          assertEquals(1, y.mean().getFloat(), 0.03);
          assertEquals(0.25, y.eq(0).toType(x.getDataType(), false).mean().getFloat(), 0.02);
        });
  }

  @Test
  void steps_of_optimisers() throws Exception {
    with(
        m -> {
          NDArray w = m.create(new float[] {1});
          NDArray g = m.create(new float[] {2});
          NDArray s = m.create(new float[] {0.5f});
          NDArray t = m.create(new float[] {0.25f});
          NDArray u = m.create(new float[] {0.125f});
          // state = 0.9 · 0.5 + 2 = 2.45; weight = 1 - 0.1 (2 + 0.9 · 2.45)
          w.getNDArrayInternal().nagUpdate(new NDList(w, g, s), null, 0.1f, 0, 1, -1, 0.9f);
          equal(s, 2.45f);
          equal(w, 0.5795f);
          w.set(new float[] {1});
          s.set(new float[] {12});
          // history = 12 + 4 = 16; weight = 1 - 0.1 · 2 / 4
          w.getNDArrayInternal().adagradUpdate(new NDList(w, g, s), null, 0.1f, 0, 1, -1, 0);
          equal(w, 0.95f);
          w.set(new float[] {1});
          s.set(new float[] {12});
          t.set(new float[] {8});
          // E[g²] = 6 + 2 = 8; step = √8 / √8 · 2; E[Δ²] = 4 + 2 = 6
          w.getNDArrayInternal().adadeltaUpdate(new NDList(w, g, s, t), null, 0, 1, -1, 0.5f, 0);
          equal(w, -1);
          equal(t, 6);
          w.set(new float[] {1});
          s.set(new float[] {28});
          // mean square = 14 + 2 = 16; weight = 1 - 0.1 · 2 / 4
          w.getNDArrayInternal()
              .rmspropUpdate(new NDList(w, g, s), null, 0.1f, 0, 1, -1, 0.5f, 0, 0, false);
          equal(w, 0.95f);
          w.set(new float[] {1});
          s.set(new float[] {34});
          t.set(new float[] {4});
          u.set(new float[] {1});
          // mean square = 17 + 2 = 19, mean = 2 + 1 = 3; momentum = 0.5 - 0.1 · 2 / √10
          w.getNDArrayInternal()
              .rmspropUpdate(new NDList(w, g, s, t, u), null, 0.1f, 0, 1, -1, 0.5f, 0.5f, 0, true);
          equal(w, 1.4367544f);
        });
  }

  @Test
  void an_stft_is_the_transform_of_windows() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {1, 2, 3, 4, 5, 6});
          NDArray window = m.create(new float[] {1, 2, 3, 1});
          NDArray y = x.stft(4, 2, false, window, false);
          NDArray first = x.get("0:4").mul(window).rfft(4).real();
          NDArray second = x.get("2:6").mul(window).rfft(4).real();
          assertEquals(new Shape(3, 2, 2), y.getShape());
          equal(y.get(":, 0"), first.toFloatArray());
          equal(y.get(":, 1"), second.toFloatArray());
          // In the middle of the samples reflected at both ends: 3 2 1 2 3 4 5 6 5 4
          NDArray centred = x.stft(4, 2, true, window, true).real();
          NDArray reflected = m.create(new float[] {3, 2, 1, 2}).mul(window).rfft(4).real();
          assertEquals(new Shape(3, 4, 2), centred.getShape());
          equal(centred.get(":, 0"), reflected.toFloatArray());
        });
  }

  @Test
  void images_are_resized_and_keep_their_greys() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {1, 2, 3, 4}, new Shape(2, 2, 1));
          equal(x.getNDArrayInternal().resize(1, 1, 2), 2.5f);
          equal(x.getNDArrayInternal().resize(4, 1, 0), 1, 1, 2, 2);
          NDArray white = m.full(new Shape(37, 49, 3), 255f, DataType.UINT8);
          for (int kind = 0; kind < 4; kind++) {
            NDArray small = white.getNDArrayInternal().resize(38, 3, kind);
            assertTrue(small.eq(255).all().getBoolean(), "white by kind " + kind);
          }
          NDArray grey = m.full(new Shape(2, 2, 3), 0.5f);
          equal(
              grey.getNDArrayInternal().randomHue(0.5f).get(0).flatten(),
              0.5f,
              0.5f,
              0.5f,
              0.5f,
              0.5f,
              0.5f);
          equal(
              grey.getNDArrayInternal().randomColorJitter(0, 0.9f, 0.9f, 0).get(0, 0),
              0.5f,
              0.5f,
              0.5f);
          NDArray brighter = grey.getNDArrayInternal().randomBrightness(0.4f);
          float level = brighter.getFloat(0, 0, 0);
          assertTrue(level >= 0.3f && level <= 0.7f, () -> "brightness " + level);
        });
  }

  @Test
  void boxes_are_made_matched_and_found() throws Exception {
    with(
        m -> {
          NDArray image = m.ones(new Shape(1, 3, 1, 2));
          java.util.List<Float> steps = new java.util.ArrayList<>(List.of(-1f, -1f));
          NDArray priors =
              image
                  .getNDArrayInternal()
                  .multiBoxPrior(List.of(0.5f), List.of(1f), steps, List.of(0.5f, 0.5f), false)
                  .get(0);
          equal(priors.flatten(), 0.125f, 0.25f, 0.375f, 0.75f, 0.625f, 0.25f, 0.875f, 0.75f);
          NDArray labels =
              m.create(new float[] {1, 0.125f, 0.25f, 0.375f, 0.75f}, new Shape(1, 1, 5));
          NDList targets =
              image
                  .getNDArrayInternal()
                  .multiBoxTarget(
                      new NDList(priors, labels, m.zeros(new Shape(1, 3, 2))),
                      0.5f,
                      -1,
                      -1,
                      0.5f,
                      0);
          equal(targets.get(0).flatten(), 0, 0, 0, 0, 0, 0, 0, 0);
          equal(targets.get(1).flatten(), 1, 1, 1, 1, 0, 0, 0, 0);
          equal(targets.get(2).flatten(), 2, 0);
          NDArray scores =
              m.create(new float[] {0.1f, 0.9f, 0.2f, 0.05f, 0.7f, 0.05f}, new Shape(1, 3, 2));
          NDArray found =
              image
                  .getNDArrayInternal()
                  .multiBoxDetection(
                      new NDList(scores, m.zeros(new Shape(1, 8)), priors),
                      true,
                      0.1f,
                      0,
                      0.5f,
                      false,
                      -1)
                  .get(0);
          equal(
              found.flatten(),
              1,
              0.7f,
              0.125f,
              0.25f,
              0.375f,
              0.75f,
              -1,
              0.05f,
              0.625f,
              0.25f,
              0.875f,
              0.75f);
        });
  }

  @Test
  void products_as_numpy_has_them() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {2, 3});
          equal(m.create(3f).dot(x), 6, 9);
          equal(x.dot(m.create(3f)), 6, 9);
          equal(m.create(4f).dot(m.create(2f)), 8);
          equal(m.create(new float[] {1, 2}).dot(m.arange(1f, 5f).reshape(2, 2)), 7, 10);
          NDArray y = m.create(new float[][] {{1}, {2}}).dot(m.arange(1f, 5f).reshape(2, 1, 2));
          assertEquals(new Shape(2, 2, 2), y.getShape());
          equal(y.flatten(), 1, 2, 3, 4, 2, 4, 6, 8);
          NDArray cube = m.arange(12f).reshape(2, 2, 3);
          equal(cube.dot(m.create(new float[] {1, 0, 2})), 4, 13, 22, 31);
          NDArray of = cube.dot(m.arange(6f).reshape(3, 2));
          assertEquals(new Shape(2, 2, 2), of.getShape());
          equal(of.flatten(), 10, 13, 28, 40, 46, 67, 64, 94);
          assertThrows(IllegalArgumentException.class, () -> m.create(5f).tile(1, 3));
        });
  }

  @Test
  void complex_numbers_are_computed() throws Exception {
    with(
        m -> {
          NDArray a = m.create(new float[] {1, 2, 3, -1}).reshape(2, 2).complex();
          NDArray b = m.create(new float[] {0, 1, 2, 1}).reshape(2, 2).complex();
          equal(a.add(b).real().flatten(), 1, 3, 5, 0);
          equal(a.sub(b).real().flatten(), 1, 1, 1, -2);
          equal(a.mul(b).real().flatten(), -2, 1, 7, 1);
          equal(a.div(b).real().flatten(), 2, -1, 1, -1);
          equal(a.neg().real().flatten(), -1, -2, -3, 1);
          equal(a.square().real().flatten(), -3, 4, 8, -6);
          equal(a.abs(), 2.2360680f, 3.1622777f);
          equal(a.mul(2).real().flatten(), 2, 4, 6, -2);
          equal(m.create(new float[] {1, 2}).add(a).real().flatten(), 2, 2, 5, -1);
          assertArrayEquals(new boolean[] {true, true}, a.eq(a).toBooleanArray());
          assertArrayEquals(new boolean[] {true, true}, a.neq(b).toBooleanArray());
        });
  }

  /** DJL's block of two directions has the biases of a layer behind all its weights. */
  @Test
  void two_directions_are_two_recurrent_blocks() throws Exception {
    with(
        m -> {
          for (boolean biases : new boolean[] {true, false}) {
            LSTM both = lstm(biases, true);
            LSTM ahead = lstm(biases, false);
            LSTM back = lstm(biases, false);
            NDArray x = TrainingPrograms.floats(m, 1, 2, 5, 3);
            for (LSTM block : List.of(both, ahead, back)) {
              block.setInitializer(TrainingPrograms.initializer(), parameter -> true);
              block.initialize(m, x.getDataType(), x.getShape());
            }
            both.getParameters()
                .forEach(
                    pair ->
                        (pair.getKey().startsWith("l") ? ahead : back)
                            .getParameters()
                            .get("l" + pair.getKey().substring(1))
                            .getArray()
                            .set(pair.getValue().getArray().toFloatArray()));
            ParameterStore store = new ParameterStore(m, false);
            NDArray got = both.forward(store, new NDList(x), false).head();
            NDArray first = ahead.forward(store, new NDList(x), false).head();
            NDArray last = back.forward(store, new NDList(x.flip(1)), false).head().flip(1);
            equal(got.get("..., :2").flatten(), first.flatten().toFloatArray());
            equal(got.get("..., 2:").flatten(), last.flatten().toFloatArray());
          }
        });
  }

  private static LSTM lstm(boolean biases, boolean bidirectional) {
    return LSTM.builder()
        .setStateSize(2)
        .setNumLayers(1)
        .optBatchFirst(true)
        .optHasBiases(biases)
        .optBidirectional(bidirectional)
        .build();
  }

  @Test
  void a_buffer_counts_from_where_it_stands() throws Exception {
    with(
        m -> {
          FloatBuffer buffer = FloatBuffer.wrap(new float[] {1, 2, 3, 4}).position(1);
          equal(m.create(buffer, new Shape(2)), 2, 3);
          NDArray x = m.zeros(new Shape(2));
          x.set(FloatBuffer.wrap(new float[] {1, 2, 3, 4}).position(2));
          equal(x, 3, 4);
          IllegalArgumentException refused =
              assertThrows(IllegalArgumentException.class, () -> x.set(new double[] {1, 2}));
          assertTrue(refused.getMessage().contains("8 bytes"), refused.getMessage());
        });
  }

  @Test
  void a_method_that_is_missing_names_itself() throws Exception {
    with(
        m -> {
          NDArray x = m.ones(new Shape(4, 2)).complex();
          UnsupportedOperationException refused =
              assertThrows(UnsupportedOperationException.class, x::exp);
          assertTrue(refused.getMessage().contains("Gatun"), refused.getMessage());
          assertThrows(UnsupportedOperationException.class, x::prod);
          assertThrows(UnsupportedOperationException.class, () -> x.cumProd(0));
        });
  }
}
