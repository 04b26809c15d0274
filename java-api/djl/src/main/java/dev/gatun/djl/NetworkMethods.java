package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import dev.gatun.djl.Randoms.Draw;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Layers of neural networks, and arrays of several. Steps between are closed with the call. */
interface NetworkMethods extends ExMethods {
  /** A layer as steps, whose arrays a manager of its own closes. */
  interface Steps {
    NDArray run(NDManager scratch);
  }

  /** Runs steps on arrays of this one's manager; what is between does not outlive the call. */
  default GatunNDArray steps(Steps steps) {
    GatunNDManager manager = x().getManager();
    try (GatunNDManager scratch = manager.newSubManager(manager.getDevice())) {
      NDArray result = steps.run(scratch);
      result.attach(manager);
      return (GatunNDArray) result;
    }
  }

  /** The same array, of the scratch manager, so that what is made of it is closed with that. */
  static GatunNDArray in(NDManager scratch, NDArray array) {
    GatunNDManager manager = (GatunNDManager) scratch;
    GatunNDArray own = manager.from(array);
    return own.viewIn(manager, own.data());
  }

  @Override
  default NDArray where(NDArray condition, NDArray other) {
    return x().where(condition, other);
  }

  @Override
  default NDArray stack(NDList arrays, int axis) {
    int rank = x().data().rank() + 1;
    int at = Refusal.axis("stack", axis, rank);
    Strided[] parts = parts(arrays);
    for (int i = 0; i < parts.length; i++) {
      if (!Arrays.equals(parts[i].shape(), x().data().shape())) {
        throw Refusal.wrong(
            "stack: array %d has shape %s, the first has %s",
            i, Arrays.toString(parts[i].shape()), Arrays.toString(parts[0].shape()));
      }
      parts[i] = parts[i].inserted(at);
    }
    return Tape.record(
        joined("stack", parts, at),
        "stack",
        Keeps.NOTHING,
        step -> {
          GatunNDArray g = step.gradient();
          for (int i = 0; i < parts.length; i++) {
            step.give(i, g.view(g.data().selected(at, i)));
          }
        },
        together(arrays));
  }

  @Override
  default NDArray concat(NDList arrays, int axis) {
    Strided[] parts = parts(arrays);
    if (Arrays.stream(parts).anyMatch(part -> part.rank() == 0)) {
      throw new IllegalArgumentException("concat: an array without axes, expected one or more");
    }
    int first = 0;
    while (first < parts.length - 1 && isNothing(parts[first])) {
      first++;
    }
    int rank = parts[first].rank();
    int at = Refusal.axis("concat", axis, rank);
    return Tape.record(
        joined("concat", parts, at),
        "concat",
        Keeps.NOTHING,
        step -> {
          GatunNDArray g = step.gradient();
          long begin = 0;
          for (int i = 0; i < parts.length; i++) {
            if (parts[i].rank() == rank) {
              step.give(i, g.view(g.data().sliced(at, begin, parts[i].size(at), 1)));
              begin += parts[i].size(at);
            }
          }
        },
        together(arrays));
  }

  /** One axis without elements, with which a loop begins: it goes together with any array. */
  private static boolean isNothing(Strided part) {
    return part.rank() == 1 && part.size(0) == 0;
  }

  private GatunNDArray[] together(NDList others) {
    return IntStream.range(0, others.size() + 1)
        .mapToObj(i -> i == 0 ? x() : own(others.get(i - 1)))
        .toArray(GatunNDArray[]::new);
  }

  private Strided[] parts(NDList others) {
    return IntStream.range(0, others.size() + 1)
        .mapToObj(i -> i == 0 ? x().data() : own(others.get(i - 1)).data())
        .toArray(Strided[]::new);
  }

  private GatunNDArray joined(String op, Strided[] all, int axis) {
    var type = all[0].type();
    for (Strided part : all) {
      type = Types.promote(type, part.type());
    }
    Strided[] some = Arrays.stream(all).filter(part -> !isNothing(part)).toArray(Strided[]::new);
    Strided[] parts = some.length == 0 ? all : some;
    long[] shape = parts[0].shape();
    shape[axis] = 0;
    for (int i = 0; i < parts.length; i++) {
      boolean fits = parts[i].rank() == shape.length;
      for (int a = 0; fits && a < shape.length; a++) {
        fits = a == axis || parts[i].size(a) == shape[a];
      }
      if (!fits) {
        throw Refusal.wrong(
            "%s: array %d has shape %s, expected the first's %s but on axis %d",
            op, i, Arrays.toString(parts[i].shape()), Arrays.toString(parts[0].shape()), axis);
      }
      shape[axis] += parts[i].size(axis);
    }
    Strided y = Strided.allocate(type, shape);
    long begin = 0;
    for (Strided part : parts) {
      ArrayKernels.host().copy(part, y.sliced(axis, begin, part.size(axis), 1));
      begin += part.size(axis);
    }
    return x().make(y);
  }

  @Override
  default NDList linear(NDArray input, NDArray weight, NDArray bias) {
    return new NDList(
        steps(
            scratch -> {
              NDArray product = in(scratch, input).matMul(in(scratch, weight).transpose());
              return bias == null ? product : product.add(bias);
            }));
  }

  @Override
  default NDList embedding(NDArray input, NDArray weight, SparseFormat sparseFormat) {
    Strided table = own(weight).data();
    Strided ids = own(input).data();
    if (table.rank() != 2) {
      throw Refusal.wrong(
          "embedding: the weight has shape %s, expected [entries, features]", weight.getShape());
    }
    long[] chosen = ArrayKernels.host().numbers(ids);
    for (long id : chosen) {
      if (id < 0 || id >= table.size(0)) {
        throw Refusal.wrong("embedding: id %d is outside of 0 to %d", id, table.size(0) - 1);
      }
    }
    Strided rows = Strided.allocate(table.type(), ids.count(), table.size(1));
    try {
      ArrayKernels.host().indexed(table, new int[] {0}, new long[][] {chosen}, rows, false);
    } catch (RuntimeException | Error e) {
      rows.store().release();
      throw e;
    }
    Shape shape = input.getShape().add(table.size(1));
    GatunNDArray result =
        Tape.record(
            x().make(rows.reshaped(shape.getShape())),
            "embedding",
            Keeps.INPUTS,
            step -> {
              GatunNDArray all = (GatunNDArray) step.input(0).zerosLike();
              long[] at = ArrayKernels.host().numbers(step.input(1).data());
              Strided g = step.gradient().data().reshaped(at.length, all.size(1));
              ArrayKernels.host().indexedAdd(all.data(), new int[] {0}, new long[][] {at}, g);
              step.give(0, all);
            },
            own(weight),
            own(input));
    return new NDList(result);
  }

  @Override
  default NDList prelu(NDArray input, NDArray alpha) {
    return new NDList(
        steps(
            scratch -> {
              GatunNDArray x = in(scratch, input);
              NDArray slope = in(scratch, alpha);
              int rank = x.getShape().dimension();
              if (slope.size() > 1 && rank > 2) {
                // One slope a channel, which is axis 1.
                long[] shape = new long[rank];
                Arrays.fill(shape, 1);
                shape[1] = slope.size();
                slope = slope.reshape(shape);
              }
              return x.where(x.gt(0), x.mul(slope));
            }));
  }

  @Override
  default NDList dropout(NDArray input, float rate, boolean training) {
    if (!(rate >= 0 && rate <= 1)) {
      throw Refusal.wrong("dropout: the rate is %s, expected a number from 0 to 1", rate);
    }
    if (!training || rate == 0) {
      return new NDList(own(input).duplicate());
    }
    Draw draw = Randoms.draw();
    double kept = rate == 1 ? 0 : 1.0 / (1 - rate);
    GatunNDArray x = own(input);
    try (GatunNDArray mask =
        x.getManager()
            .drawn(x.getShape(), x.getDataType(), () -> draw.uniform() < rate ? 0 : kept)) {
      return new NDList(x.mul(mask));
    }
  }

  @Override
  default NDList layerNorm(
      NDArray input, Shape normalizedShape, NDArray gamma, NDArray beta, float eps) {
    int axes = normalizedShape.dimension();
    int rank = input.getShape().dimension();
    if (axes > rank || !input.getShape().slice(rank - axes).equals(normalizedShape)) {
      throw Refusal.wrong(
          "layerNorm: the array has shape %s, expected its last axes to be %s",
          input.getShape(), normalizedShape);
    }
    int[] last = IntStream.range(rank - axes, rank).toArray();
    GatunNDArray fused = fusedLayerNorm(own(input), normalizedShape.size(), gamma, beta, eps);
    if (fused != null) {
      return new NDList(fused);
    }
    return new NDList(
        steps(
            scratch -> {
              NDArray x = wide(in(scratch, input));
              NDArray centred = x.sub(x.mean(last, true));
              NDArray variance = centred.square().mean(last, true);
              NDArray y = centred.div(variance.add(eps).sqrt());
              y = gamma == null ? y : y.mul(gamma);
              return narrow(beta == null ? y : y.add(beta), input);
            }));
  }

  /** What PyTorch normalizes: 16 bits as FLOAT32, which parameters may be of too. */
  private static NDArray wide(NDArray x) {
    return Types.isHalf(x.getDataType()) ? x.toType(DataType.FLOAT32, false) : x;
  }

  /** What was made of 16 bits with as many again. */
  private static NDArray narrow(NDArray y, NDArray input) {
    return Types.isHalf(input.getDataType()) ? y.toType(input.getDataType(), false) : y;
  }

  /** By the library's kernel; null where gradients are followed, or it has none. */
  private GatunNDArray fusedLayerNorm(
      GatunNDArray x, long columns, NDArray gamma, NDArray beta, float eps) {
    GatunNDArray weight = gamma == null ? null : own(gamma);
    GatunNDArray bias = beta == null ? null : own(beta);
    if (Tape.follows(x, weight, bias)) {
      return null;
    }
    Strided y = Strided.allocate(x.getDataType(), x.data().shape());
    boolean done = false;
    try {
      done =
          ArrayKernels.host()
              .layerNorm(
                  x.data(),
                  weight == null ? null : weight.data(),
                  bias == null ? null : bias.data(),
                  columns,
                  eps,
                  y);
      return done ? x().make(y) : null;
    } finally {
      if (!done) {
        y.store().release();
      }
    }
  }

  @Override
  default NDList batchNorm(
      NDArray input,
      NDArray runningMean,
      NDArray runningVar,
      NDArray gamma,
      NDArray beta,
      int axis,
      float momentum,
      float eps,
      boolean training) {
    int rank = input.getShape().dimension();
    int at = axis == -1 ? 1 : Refusal.axis("batchNorm", axis, rank);
    int[] others = IntStream.range(0, rank).filter(i -> i != at).toArray();
    long[] shape = new long[rank];
    Arrays.fill(shape, 1);
    shape[at] = input.size(at);
    return new NDList(
        steps(
            scratch -> {
              NDArray x = wide(in(scratch, input));
              NDArray mean = in(scratch, runningMean).reshape(shape);
              NDArray variance = in(scratch, runningVar).reshape(shape);
              if (training) {
                NDArray ofBatch = x.mean(others, true);
                NDArray spread = x.sub(ofBatch).square().mean(others, true);
                long count = input.size() / Math.max(1, input.size(at));
                // The running variance is that of samples, as PyTorch's.
                NDArray unbiased = spread.mul((float) count / Math.max(1, count - 1));
                mean.muli(momentum).addi(ofBatch.mul(1 - momentum));
                variance.muli(momentum).addi(unbiased.mul(1 - momentum));
                mean = ofBatch;
                variance = spread;
              }
              NDArray scale = variance.add(eps).sqrt();
              if (!training) {
                // One factor and one summand a channel.
                scale =
                    gamma == null ? scale.pow(-1) : in(scratch, gamma).reshape(shape).div(scale);
                NDArray shift = mean.mul(scale).neg();
                shift = beta == null ? shift : shift.add(in(scratch, beta).reshape(shape));
                return narrow(x.mul(scale).add(shift), input);
              }
              NDArray y = x.sub(mean).div(scale);
              y = gamma == null ? y : y.mul(in(scratch, gamma).reshape(shape));
              y = beta == null ? y : y.add(in(scratch, beta).reshape(shape));
              return narrow(y, input);
            }));
  }
}
