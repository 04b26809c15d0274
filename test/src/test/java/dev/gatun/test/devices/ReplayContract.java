package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.norm.Softmax;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.TokenBatch;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Work that is recorded and replayed: the same on every device that records. */
abstract class ReplayContract {
  private Device device;
  private Backend backend;
  private long before;

  /** The device under test. */
  abstract Device device();

  abstract Backend backend();

  /** Has the device do its work only when it is waited for, where it can. */
  void streams(boolean late) {}

  @BeforeEach
  void openDevice() {
    backend = backend();
    device = device();
    before = backend.memory().allocatedBytes();
  }

  @AfterEach
  void giveBack() {
    streams(false);
    assertEquals(before, backend.memory().allocatedBytes(), "memory is given back");
  }

  final Buffer of(float... values) {
    return of(MemorySegment.ofArray(values));
  }

  final Buffer indices(long... values) {
    return of(MemorySegment.ofArray(values));
  }

  private Buffer of(MemorySegment values) {
    Buffer buffer = backend.memory().allocate(values.byteSize());
    try {
      backend.memory().write(values, buffer, 0);
      return buffer;
    } catch (RuntimeException e) {
      buffer.close();
      throw e;
    }
  }

  final float[] read(Buffer buffer) {
    float[] values = new float[(int) buffer.byteSize() / 4];
    backend.memory().read(buffer, 0, MemorySegment.ofArray(values));
    return values;
  }

  final void softmax(Buffer x, Buffer y) {
    backend
        .kernels()
        .run(new Softmax(Operand.of(x, DType.F32, 1, 2), false, Operand.of(y, DType.F32, 1, 2)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_replay_reads_what_its_inputs_hold_by_now(boolean late) {
    streams(late);
    try (Buffer x = of(0, 0);
        Buffer y = of(7, 7);
        Replay replay = backend.capture(() -> softmax(x, y))) {
      assertArrayEquals(new float[] {0.5f, 0.5f}, read(y));
      backend.memory().write(MemorySegment.ofArray(new float[] {1000, 0}), x, 0);
      assertArrayEquals(new float[] {0.5f, 0.5f}, read(y), "nothing is done before a replay");
      replay.run();
      assertArrayEquals(new float[] {1, 0}, read(y));
      backend.memory().write(MemorySegment.ofArray(new float[] {0, 1000}), x, 0);
      replay.run();
      replay.run();
      assertArrayEquals(new float[] {0, 1}, read(y));
    }
  }

  @Test
  void what_work_allocates_stays_where_it_is() {
    streams(true);
    List<Buffer> results = new ArrayList<>();
    try (Buffer x = of(0, 0)) {
      Runnable work =
          () -> {
            Buffer result = backend.memory().allocate(8);
            results.add(result);
            // A block that was given back is used again, and what is written is written anew.
            try (Buffer scratch = backend.memory().allocate(8)) {
              softmax(x, scratch);
            }
            try (Buffer constant = of(0, 1000)) {
              softmax(constant, result);
            }
          };
      Replay replay = backend.capture(work);
      assertEquals(2, results.size());
      assertArrayEquals(new float[] {0, 1}, read(results.get(0)));
      backend.memory().write(MemorySegment.ofArray(new float[] {5, 5}), results.get(1), 0);
      replay.run();
      assertArrayEquals(new float[] {0, 1}, read(results.get(1)));
      results.get(0).close();
      replay.close();
      replay.close();
      assertArrayEquals(new float[] {0, 1}, read(results.get(1)), "a result outlives its replay");
      results.get(1).close();
      assertEquals(
          "replay: it is closed",
          assertThrows(IllegalStateException.class, replay::run).getMessage());
    }
  }

  @Test
  void a_buffer_is_kept_for_as_long_as_a_replay_uses_it() {
    Buffer x = of(0, 1000);
    try (Buffer y = of(7, 7);
        Replay replay = backend.capture(() -> softmax(x, y))) {
      x.close();
      replay.run();
      assertArrayEquals(new float[] {0, 1}, read(y));
    }
  }

  @Test
  void work_that_cannot_be_recorded() {
    try (Buffer x = of(0, 0);
        Buffer y = of(7, 7)) {
      assertEquals(
          "read: this thread is recording work, nothing of which is done; read after a replay",
          assertThrows(
                  IllegalStateException.class,
                  () ->
                      backend.capture(
                          () -> {
                            softmax(x, y);
                            read(y);
                          }))
              .getMessage());
      assertEquals(
          "capture: this thread is recording already",
          assertThrows(
                  IllegalStateException.class,
                  () ->
                      backend.capture(
                          new Runnable() {
                            private int runs;

                            @Override
                            public void run() {
                              if (runs++ > 0) {
                                backend.capture(() -> softmax(x, y)).close();
                              }
                            }
                          }))
              .getMessage());
      softmax(x, y);
      assertArrayEquals(new float[] {0.5f, 0.5f}, read(y), "the stream goes on");
    }
  }

  @Test
  void indices_are_checked_before_work_is_recorded() {
    try (Buffer table = of(1, 2);
        Buffer ids = indices(1, 2);
        Buffer y = of(0, 0)) {
      Embedding call =
          new Embedding(
              Operand.of(table, DType.F32, 2, 1),
              Indices.unchecked(Operand.of(ids, DType.I64, 2)),
              false,
              Operand.of(y, DType.F32, 2, 1));
      assertEquals(
          "embedding: id 2 at 1 is outside of 0 to 1",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> backend.capture(() -> backend.kernels().run(call)))
              .getMessage());
      backend.memory().write(MemorySegment.ofArray(new long[] {1, 0}), ids, 0);
      try (Replay replay = backend.capture(() -> backend.kernels().run(call))) {
        backend.memory().write(MemorySegment.ofArray(new long[] {0, 1}), ids, 0);
        replay.run();
        assertArrayEquals(new float[] {1, 2}, read(y));
      }
    }
  }

  @Test
  void indices_that_are_written_later_are_checked_by_the_replay() {
    try (Buffer table = of(1, 2);
        Buffer ids = indices(1, 0);
        Buffer y = of(0, 0)) {
      Embedding call =
          new Embedding(
              Operand.of(table, DType.F32, 2, 1),
              Indices.unchecked(Operand.of(ids, DType.I64, 2)),
              false,
              Operand.of(y, DType.F32, 2, 1));
      try (Replay replay = backend.capture(() -> backend.kernels().run(call))) {
        for (long[] bad : new long[][] {{0, 2}, {0, -1}, {0, Long.MAX_VALUE}}) {
          backend.memory().write(MemorySegment.ofArray(bad), ids, 0);
          assertEquals(
              "embedding: id %d at 1 is outside of 0 to 1".formatted(bad[1]),
              assertThrows(
                      IllegalArgumentException.class,
                      () -> {
                        replay.run();
                        read(y);
                      })
                  .getMessage());
        }
        backend.memory().write(MemorySegment.ofArray(new long[] {0, 1}), ids, 0);
        replay.run();
        assertArrayEquals(new float[] {1, 2}, read(y));
      }
    }
  }

  @Test
  void two_threads_replay_two_recordings() throws Exception {
    List<Callable<float[]>> threads = new ArrayList<>();
    List<AutoCloseable> opened = new ArrayList<>();
    for (float second : new float[] {0, 1000}) {
      Buffer x = of(1000 - second, second);
      Buffer y = of(7, 7);
      Replay replay = backend.capture(() -> softmax(x, y));
      opened.addAll(List.of(x, y, replay));
      threads.add(
          () -> {
            for (int i = 0; i < 200; i++) {
              replay.run();
            }
            return read(y);
          });
    }
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      List<Future<float[]>> results = pool.invokeAll(threads);
      assertArrayEquals(new float[] {1, 0}, results.get(0).get());
      assertArrayEquals(new float[] {0, 1}, results.get(1).get());
    }
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  @Test
  void other_threads_work_while_one_records() throws Exception {
    try (Buffer x = of(0, 0);
        Buffer y = of(7, 7);
        Buffer other = of(7, 7);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Runnable work =
          () -> {
            softmax(x, y);
            Future<float[]> beside =
                threads.submit(
                    () -> {
                      softmax(x, other);
                      return read(other);
                    });
            try {
              assertArrayEquals(new float[] {0.5f, 0.5f}, beside.get());
            } catch (Exception e) {
              throw new IllegalStateException(e);
            }
          };
      backend.capture(work).close();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-tokens",
        "roberta-tokens",
        "distilbert-tokens",
        "electra-tokens",
        "deberta-tokens",
        "deberta-v2-tokens",
        "deberta-v2-conv"
      })
  void an_encoder_computes_what_was_written_into_its_batch(String golden) throws IOException {
    long[][][] batches = {
      {{2, 5, 6, 7, 3}, {2, 9, 3, 4, 5}},
      {{2, 8, 6, 7, 3}, {2, 9, 3}},
      {{2, 3}, {}},
      {{2, 5, 6, 7, 3}, {7, 9, 11, 4, 2}},
      {{4, 5, 6, 7, 8}}
    };
    long[][] holes = {{1, 0, 1, 1, 0}, {1, 1, 1, 0, 1}};
    List<Tensor> outputs = new ArrayList<>();
    try (EncoderModel model =
            AutoModel.load(Path.of("goldens", golden), device, Storage.F32, Compute.EXACT);
        TokenBatch batch = model.batch(batches[0], null, null);
        Replay replay = device.capture(() -> outputs.add(model.hidden(batch)))) {
      for (int i = 0; i < batches.length; i++) {
        long[][] mask = i == 3 ? holes : null;
        batch.write(batches[i], mask, null);
        replay.run();
        float[] got = outputs.get(1).toFloatArray();
        try (TokenBatch fresh = model.batch(batches[i], mask, null);
            Tensor hidden = model.hidden(fresh)) {
          float[] alone = hidden.toFloatArray();
          assertArrayEquals(alone, Arrays.copyOf(got, alone.length), golden + " batch " + i);
        }
      }
      outputs.forEach(Tensor::close);
    }
  }
}
