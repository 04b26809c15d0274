package dev.gatun.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.List;

/**
 * ResNet-50 (He et al., arXiv 1512.03385) of DJL's blocks, with the same weights on each engine:
 * the class scores of an image.
 */
final class ResNet implements Subject.Task, AutoCloseable {
  static final String CASE = "resnet-50/1x3x224x224";

  private static final int[] DEPTHS = {3, 4, 6, 3};

  private final NDManager manager;
  private final Block block;
  private final NDArray image;

  ResNet(String engine) {
    manager = NDManager.newBaseManager(null, engine);
    block = network();
    block.setInitializer(numbers(), Parameter.Type.WEIGHT);
    Shape shape = new Shape(1, 3, 224, 224);
    block.initialize(manager, DataType.FLOAT32, shape);
    block.freezeParameters(true);
    image = numbers().initialize(manager, shape, DataType.FLOAT32);
  }

  /** Numbers that look random, the same on each engine, with a variance of 2 / inputs. */
  private static Initializer numbers() {
    return (manager, shape, type) -> {
      float[] numbers = new float[(int) shape.size()];
      double inputs = Math.max(1, (double) numbers.length / shape.get(0));
      double width = Math.sqrt(6 / inputs);
      long state = numbers.length;
      for (int i = 0; i < numbers.length; i++) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        numbers[i] = (float) (((state >>> 40) / (double) (1 << 24) * 2 - 1) * width);
      }
      return manager.create(numbers, shape);
    };
  }

  private static Block network() {
    SequentialBlock all =
        new SequentialBlock()
            .add(convolution(64, 7, 2))
            .add(BatchNorm.builder().build())
            .add(Activation::relu)
            .add(Pool.maxPool2dBlock(new Shape(3, 3), new Shape(2, 2), new Shape(1, 1)));
    for (int stage = 0; stage < DEPTHS.length; stage++) {
      for (int i = 0; i < DEPTHS[stage]; i++) {
        all.add(bottleneck(64 << stage, i > 0 || stage == 0 ? 1 : 2, i == 0));
      }
    }
    return all.add(Pool.globalAvgPool2dBlock())
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(1000).build());
  }

  private static Block convolution(int filters, int kernel, int stride) {
    return Conv2d.builder()
        .setFilters(filters)
        .setKernelShape(new Shape(kernel, kernel))
        .optStride(new Shape(stride, stride))
        .optPadding(new Shape(kernel / 2, kernel / 2))
        .optBias(false)
        .build();
  }

  private static Block bottleneck(int filters, int stride, boolean projects) {
    SequentialBlock path =
        new SequentialBlock()
            .add(convolution(filters, 1, 1))
            .add(BatchNorm.builder().build())
            .add(Activation::relu)
            .add(convolution(filters, 3, stride))
            .add(BatchNorm.builder().build())
            .add(Activation::relu)
            .add(convolution(4 * filters, 1, 1))
            .add(BatchNorm.builder().build());
    Block shortcut =
        projects
            ? new SequentialBlock()
                .add(convolution(4 * filters, 1, stride))
                .add(BatchNorm.builder().build())
            : Blocks.identityBlock();
    return new ParallelBlock(
        list -> new NDList(list.get(0).get(0).add(list.get(1).get(0)).getNDArrayInternal().relu()),
        List.of(path, shortcut));
  }

  private NDArray scores(NDManager scope) {
    NDArray input = image.duplicate();
    input.attach(scope);
    return block.forward(new ParameterStore(scope, false), new NDList(input), false).get(0);
  }

  @Override
  public void run() {
    try (NDManager scope = manager.newSubManager()) {
      scores(scope);
    }
  }

  @Override
  public float[] result() {
    try (NDManager scope = manager.newSubManager()) {
      return scores(scope).toFloatArray();
    }
  }

  @Override
  public void close() {
    manager.close();
  }
}
