package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.core.SparseMax;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.norm.GhostBatchNorm;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.nn.transformer.IdEmbedding;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.loss.Loss;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Blocks of DJL that are trained on both engines. */
final class TrainingPrograms {
  /**
   * A training.
   *
   * @param name of the block
   * @param block makes it
   * @param data its inputs
   * @param labels what the loss compares with
   * @param loss of the labels and what the block gives
   */
  record Training(
      String name,
      Supplier<Block> block,
      Function<NDManager, NDList> data,
      Function<NDManager, NDList> labels,
      Supplier<Loss> loss) {
    @Override
    public String toString() {
      return name;
    }
  }

  private TrainingPrograms() {}

  /** Numbers from -1 to 1 that look random, the same for each engine. */
  static float[] numbers(int seed, long count) {
    float[] numbers = new float[(int) count];
    long state = 77 + 13L * seed + count;
    for (int i = 0; i < numbers.length; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      numbers[i] = ((state >>> 33) % 100_003) / 50_001f - 1;
    }
    return numbers;
  }

  static NDArray floats(NDManager manager, int seed, long... shape) {
    return manager.create(numbers(seed, new Shape(shape).size()), new Shape(shape));
  }

  /** An initializer whose numbers are the same for each engine. */
  static Initializer initializer() {
    int[] next = new int[1];
    return (manager, shape, type) ->
        manager
            .create(numbers(next[0]++, shape.size()), shape)
            .mul((float) (1 / Math.sqrt(Math.max(1, shape.size() / shape.get(0)))))
            .toType(type, false);
  }

  static List<Training> all() {
    List<Training> all = new ArrayList<>();
    all.add(
        new Training(
            "MLP",
            () ->
                new SequentialBlock()
                    .add(Linear.builder().setUnits(8).build())
                    .add(Activation.reluBlock())
                    .add(LayerNorm.builder().build())
                    .add(Linear.builder().setUnits(6).optBias(false).build())
                    .add(Activation.geluBlock())
                    .add(Linear.builder().setUnits(3).build()),
            m -> new NDList(floats(m, 1, 4, 5)),
            m -> new NDList(m.create(new float[] {0, 2, 1, 2})),
            Loss::softmaxCrossEntropyLoss));
    all.add(
        new Training(
            "CNN",
            () ->
                new SequentialBlock()
                    .add(
                        Conv2d.builder()
                            .setKernelShape(new Shape(3, 3))
                            .optPadding(new Shape(1, 1))
                            .setFilters(4)
                            .build())
                    .add(BatchNorm.builder().build())
                    .add(Activation.leakyReluBlock(0.1f))
                    .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)))
                    .add(
                        Conv2d.builder()
                            .setKernelShape(new Shape(2, 2))
                            .optStride(new Shape(2, 1))
                            .optBias(false)
                            .setFilters(6)
                            .build())
                    .add(Activation.tanhBlock())
                    .add(Pool.globalAvgPool2dBlock())
                    .add(Blocks.batchFlattenBlock())
                    .add(Dropout.builder().optRate(0).build())
                    .add(Linear.builder().setUnits(2).build()),
            m -> new NDList(floats(m, 2, 3, 2, 8, 7)),
            m -> new NDList(floats(m, 3, 3, 2)),
            Loss::l2Loss));
    all.add(
        new Training(
            "embedding",
            () ->
                new SequentialBlock()
                    .add(new IdEmbedding.Builder().setDictionarySize(7).setEmbeddingSize(4).build())
                    .add(Blocks.batchFlattenBlock())
                    .add(Linear.builder().setUnits(2).build()),
            m -> new NDList(m.create(new int[] {1, 0, 6, 3, 3, 1}, new Shape(2, 3))),
            m -> new NDList(floats(m, 2, 2, 2)),
            Loss::l2Loss));
    all.add(
        new Training(
            "ghost batches",
            () ->
                new SequentialBlock()
                    .add(Linear.builder().setUnits(6).build())
                    .add(GhostBatchNorm.builder().optVirtualBatchSize(4).build())
                    .add(Activation.sigmoidBlock())
                    .add(Linear.builder().setUnits(4).build())
                    .add(new SparseMax(1, 3)),
            m -> new NDList(floats(m, 1, 8, 5)),
            m -> new NDList(floats(m, 4, 8, 4)),
            Loss::l2Loss));
    return all;
  }

  /** A loss of labels and predictions of shapes that it takes. */
  record LossProgram(
      String name, Supplier<Loss> loss, Function<NDManager, NDList> labels, long... shape) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<LossProgram> losses() {
    Function<NDManager, NDList> numbers = m -> new NDList(floats(m, 5, 4, 3));
    Function<NDManager, NDList> classes = m -> new NDList(m.create(new float[] {0, 2, 1, 2}));
    Function<NDManager, NDList> signs = m -> new NDList(floats(m, 5, 4, 3).sign());
    return List.of(
        new LossProgram("l1", Loss::l1Loss, numbers, 4, 3),
        new LossProgram("l2", Loss::l2Loss, numbers, 4, 3),
        new LossProgram("softmax", Loss::softmaxCrossEntropyLoss, classes, 4, 3),
        new LossProgram(
            "softmax of probabilities",
            () -> Loss.softmaxCrossEntropyLoss("x", 2, -1, false, true),
            m -> new NDList(floats(m, 5, 4, 3).softmax(1)),
            4,
            3),
        new LossProgram(
            "sigmoid",
            Loss::sigmoidBinaryCrossEntropyLoss,
            m -> new NDList(floats(m, 5, 4, 3).gt(0).toType(DataType.FLOAT32, false)),
            4,
            3),
        new LossProgram("hinge", Loss::hingeLoss, signs, 4, 3),
        new LossProgram("quantile l1", () -> Loss.quantileL1Loss(0.3f), numbers, 4, 3));
  }
}
