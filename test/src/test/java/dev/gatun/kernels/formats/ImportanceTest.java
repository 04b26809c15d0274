package dev.gatun.kernels.formats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.memory.BlockFormat;
import org.junit.jupiter.api.Test;

/** What elements weigh, of rows whose mean squares have exact roots. */
final class ImportanceTest {
  private static float[] weights(BlockFormat format, float[] x, float[] importance, int from) {
    return Importance.weights(format, x, importance, from, 2);
  }

  @Test
  void the_mean_square_is_the_rows_the_blocks_or_twice_the_blocks() {
    // Of the row 4, of the second block 8.
    float[] x = {0, 0, 4, 0};
    float[] same = {3, 3, 3, 3};
    float ofRow = (float) Math.sqrt(5);
    float ofBlock = (float) Math.sqrt(3);
    float twice = (float) Math.sqrt(2);
    for (BlockFormat format :
        new BlockFormat[] {
          BlockFormat.Q4_0, BlockFormat.Q4_1, BlockFormat.Q5_0, BlockFormat.Q5_1
        }) {
      assertArrayEquals(new float[] {ofRow, 1}, weights(format, x, same, 2));
    }
    assertArrayEquals(new float[] {ofBlock, 1}, weights(BlockFormat.Q2_K, x, same, 2));
    assertArrayEquals(new float[] {twice, 1}, weights(BlockFormat.Q4_K, x, same, 2));
    assertArrayEquals(new float[] {1, 1}, weights(BlockFormat.Q6_K, x, same, 2));
  }

  @Test
  void zeros_weigh_what_their_columns_do() {
    float[] importance = {2, 6};
    assertArrayEquals(
        new float[] {0.5f, 1.5f}, weights(BlockFormat.Q4_0, new float[2], importance, 0));
  }

  @Test
  void a_column_that_is_never_met_weighs_a_millionth_and_columns_that_all_are_not_weigh_the_same() {
    float[] x = new float[2];
    assertArrayEquals(new float[] {1e-6f, 2}, weights(BlockFormat.Q6_K, x, new float[] {0, 5}, 0));
    assertArrayEquals(new float[] {1, 1}, weights(BlockFormat.Q6_K, x, new float[2], 0));
  }
}
