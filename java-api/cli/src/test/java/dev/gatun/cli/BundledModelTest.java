package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BundledModelTest {
  @TempDir Path cache;
  private String before;

  @BeforeEach
  void useCache() {
    before = System.setProperty(CacheDirectory.PROPERTY, cache.toString());
  }

  @AfterEach
  void useCacheOfBefore() {
    if (before == null) {
      System.clearProperty(CacheDirectory.PROPERTY);
    } else {
      System.setProperty(CacheDirectory.PROPERTY, before);
    }
  }

  /** The numbers of the graph, and no graph; whole the second time, made again when cut. */
  @Test
  void the_model_is_laid_out_once() throws IOException {
    Path model = BundledModel.unpack();
    Path weights = model.resolve("model.safetensors");
    Path graph = cache.resolve("graph.onnx");
    try (InputStream in = ClassLoader.getSystemResourceAsStream("all-minilm-l6-v2.onnx")) {
      Files.copy(in, graph);
    }
    try (TensorFile expected = TensorFile.open(graph);
        TensorFile found = TensorFile.open(model)) {
      assertEquals(expected.names(), java.util.Set.copyOf(found.names()));
      for (String name : expected.names()) {
        TensorFile.Entry want = expected.get(name);
        TensorFile.Entry got = found.get(name);
        assertEquals(want.dtype(), got.dtype(), name);
        assertArrayEquals(want.shape(), got.shape(), name);
        assertEquals(-1, want.data().mismatch(got.data()), name);
      }
    }
    assertFalse(Files.exists(model.resolve("model.onnx")));

    FileTime old = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(weights, old);
    assertEquals(model, BundledModel.unpack());
    assertEquals(old, Files.getLastModifiedTime(weights), "unpacked again");

    long size = Files.size(weights);
    try (RandomAccessFile file = new RandomAccessFile(weights.toFile(), "rw")) {
      file.setLength(size - 1);
    }
    assertEquals(model, BundledModel.unpack());
    assertEquals(size, Files.size(weights));
  }
}
