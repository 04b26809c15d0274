package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Arrays of which only some elements are kept. */
final class SparseTest {
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

  private static FloatBuffer values(float... values) {
    return FloatBuffer.wrap(values);
  }

  @Test
  void compressed_rows() throws Exception {
    with(
        m -> {
          long[] starts = {0, 2, 2, 3};
          long[] columns = {0, 2, 1};
          NDArray x = m.createCSR(values(7, 8, 9), starts, columns, new Shape(3, 4));
          assertTrue(x.isSparse());
          assertEquals(SparseFormat.CSR, x.getSparseFormat());
          assertEquals(new Shape(3, 4), x.getShape());
          float[] expected = {7, 0, 8, 0, 0, 0, 0, 0, 0, 9, 0, 0};
          assertArrayEquals(expected, x.toDense().toFloatArray());
          assertEquals(SparseFormat.DENSE, x.toDense().getSparseFormat());
          assertEquals(SparseFormat.CSR, x.duplicate().getSparseFormat());
          assertEquals(24f, x.sum().getFloat());
          assertArrayEquals(expected, x.toFloatArray());
        });
  }

  @Test
  void some_rows() throws Exception {
    with(
        m -> {
          NDArray x =
              m.createRowSparse(
                  values(1, 2, 3, 4), new Shape(2, 2), new long[] {2, 0}, new Shape(3, 2));
          assertEquals(SparseFormat.ROW_SPARSE, x.getSparseFormat());
          assertArrayEquals(new float[] {3, 4, 0, 0, 1, 2}, x.toDense().toFloatArray());
        });
  }

  @Test
  void coordinates_may_be_given_twice() throws Exception {
    with(
        m -> {
          long[][] at = {{0, 1, 1, 1}, {2, 0, 2, 2}};
          NDArray x = m.createCoo(values(3, 4, 5, 6), at, new Shape(2, 3));
          assertEquals(SparseFormat.COO, x.getSparseFormat());
          assertArrayEquals(new float[] {0, 0, 3, 4, 0, 11}, x.toDense().toFloatArray());
          NDArray y = m.createCoo(IntBuffer.wrap(new int[] {7}), new long[][] {{1}}, new Shape(3));
          assertArrayEquals(new int[] {0, 7, 0}, y.toDense().toIntArray());
        });
  }

  /** A shape whose dense form would fill terabytes. */
  @Test
  void what_is_0_takes_no_memory() throws Exception {
    with(
        m -> {
          long many = 1L << 22;
          NDArray x = m.createCoo(values(1), new long[][] {{5}, {many - 1}}, new Shape(many, many));
          assertEquals(many * many, x.size());
        });
  }

  @ParameterizedTest
  @EnumSource(names = "DENSE", mode = EnumSource.Mode.EXCLUDE)
  void dense_arrays_become_sparse_and_back(SparseFormat format) throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[][] {{0, 1, 0}, {0, 0, 0}, {2, 0, 3}});
          for (NDArray array : new NDArray[] {x, x.transpose()}) {
            NDArray sparse = array.toSparse(format);
            assertEquals(format, sparse.getSparseFormat());
            assertEquals(array, sparse.toDense());
          }
        });
  }

  @Test
  void what_does_not_fit_is_refused() throws Exception {
    with(
        m -> {
          Shape shape = new Shape(2, 3);
          refused("one start more", () -> m.createCSR(values(1), new long[2], new long[1], shape));
          refused(
              "outside of axis 1",
              () -> m.createCSR(values(1), new long[] {0, 1, 1}, new long[] {3}, shape));
          refused(
              "row 0 begins at 0 and ends at",
              () -> m.createCSR(values(1), new long[] {0, -1, 1}, new long[] {0}, shape));
          refused(
              "expected rows of shape",
              () -> m.createRowSparse(values(1, 2), new Shape(1, 2), new long[] {0}, shape));
          refused(
              "outside of axis 0",
              () -> m.createRowSparse(values(1, 2, 3), new Shape(1, 3), new long[] {2}, shape));
          refused("of each axis", () -> m.createCoo(values(1), new long[][] {{0}}, shape));
          refused("expected a sparse one", () -> m.ones(shape).toSparse(SparseFormat.DENSE));
          refused("expected two axes", () -> m.ones(new Shape(3)).toSparse(SparseFormat.CSR));
        });
  }

  private static void refused(String part, org.junit.jupiter.api.function.Executable call) {
    IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, call);
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
  }
}
