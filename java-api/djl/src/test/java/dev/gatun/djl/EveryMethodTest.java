package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.recurrent.RNN;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every method of {@code NDArray} and {@code NDArrayEx}, found by reflection, is called and
 * returns: a method that a new version of DJL has, or that the engine lacks, fails here. What they
 * give is the other tests' matter.
 */
final class EveryMethodTest {
  private static final Map<String, Consumer<NDManager>> CALLS = new HashMap<>();

  static {
    array("toFloatArray()", x -> x.toFloatArray());
    typed("toDoubleArray()", DataType.FLOAT64, NDArray::toDoubleArray);
    typed("toShortArray()", DataType.INT16, NDArray::toShortArray);
    typed("toUnsignedShortArray()", DataType.UINT16, NDArray::toUnsignedShortArray);
    typed("toIntArray()", DataType.INT32, NDArray::toIntArray);
    typed("toUnsignedIntArray()", DataType.UINT32, NDArray::toUnsignedIntArray);
    typed("toLongArray()", DataType.INT64, NDArray::toLongArray);
    typed("toUint8Array()", DataType.UINT8, NDArray::toUint8Array);
    typed("toBooleanArray()", DataType.BOOLEAN, NDArray::toBooleanArray);
    CALLS.put("toStringArray()", m -> m.create(new String[] {"a"}).toStringArray());
    CALLS.put(
        "toStringArray(Charset)",
        m -> m.create(new String[] {"a"}).toStringArray(StandardCharsets.UTF_8));
    array("set(float[])", x -> x.set(new float[6]));
    typed("set(int[])", DataType.INT32, x -> x.set(new int[6]));
    typed("set(double[])", DataType.FLOAT64, x -> x.set(new double[6]));
    typed("set(long[])", DataType.INT64, x -> x.set(new long[6]));
    typed("set(byte[])", DataType.INT8, x -> x.set(new byte[6]));
    array("set(NDIndex,NDArray)", x -> x.set(new NDIndex(0), x.getManager().ones(new Shape(3))));
    array("set(NDIndex,Function)", x -> x.set(new NDIndex(0), NDArray::neg));
    array("set(NDArray,Number)", x -> x.set(x.gt(0.3f), 1));
    array("setScalar(NDIndex,Number)", x -> x.setScalar(new NDIndex(0, 0), 1));
    array("get(NDArray)", x -> x.get(x.gt(0.3f)));
    array("get(String,Object[])", x -> x.get(":, {}", 1));
    array("gather(NDArray,int)", x -> x.gather(places(x, 0, 1, 0).reshape(1, 3), 0));
    array("gatherNd(NDArray)", x -> x.gatherNd(places(x, 0, 1).reshape(2, 1)));
    array("take(NDArray)", x -> x.take(places(x, 0, 5)));
    array("take(NDManager,NDArray)", x -> x.take(x.getManager(), places(x, 0, 5)));
    array("put(NDArray,NDArray)", x -> x.put(places(x, 0), x.getManager().ones(new Shape(1))));
    array(
        "scatter(NDArray,NDArray,int)",
        x -> x.scatter(places(x, 0, 1, 0).reshape(1, 3), x.get("0:1"), 0));
    array("getScalar(long[])", x -> x.getScalar(0, 1));
    typed("getLong(long[])", DataType.INT64, x -> x.getLong(0, 1));
    typed("getDouble(long[])", DataType.FLOAT64, x -> x.getDouble(0, 1));
    array("getFloat(long[])", x -> x.getFloat(0, 1));
    typed("getInt(long[])", DataType.INT32, x -> x.getInt(0, 1));
    typed("getByte(long[])", DataType.INT8, x -> x.getByte(0, 1));
    typed("getUint8(long[])", DataType.UINT8, x -> x.getUint8(0, 1));
    typed("getBoolean(long[])", DataType.BOOLEAN, x -> x.getBoolean(0, 1));
    array("booleanMask(NDArray)", x -> x.booleanMask(x.gt(0.3f)));
    array("booleanMask(NDArray,int)", x -> x.booleanMask(x.gt(0.3f), 0));
    array("sequenceMask(NDArray,float)", x -> x.sequenceMask(places(x, 1, 2), 0));
    array("sequenceMask(NDArray)", x -> x.sequenceMask(places(x, 1, 2)));
    array("getGradient()", x -> withGradient(x).getGradient());
    array("pad(Shape,double)", x -> x.pad(new Shape(1, 1, 0, 0), 0));
    array("reshape(long[])", x -> x.reshape(3, 2));
    array("rotate90(int,int[])", x -> x.rotate90(1, new int[] {0, 1}));
    array("split(long)", x -> x.split(2));
    array("split(long[])", x -> x.split(new long[] {1}));
    array("split(long,int)", x -> x.split(2, 0));
    array("split(long[],int)", x -> x.split(new long[] {1}, 0));
    array("flatten(int,int)", x -> x.flatten(0, 1));
    array("fft2(long[],long[])", x -> x.fft2(new long[] {2, 3}, new long[] {0, 1}));
    array("fft2(long[])", x -> x.fft2(new long[] {2, 3}));
    array("ifft2(long[],long[])", x -> x.ifft2(new long[] {2, 3}, new long[] {0, 1}));
    array("ifft2(long[])", x -> x.ifft2(new long[] {2, 3}));
    array("irfft(long,long)", x -> x.irfft(4, 1));
    array("irfft(long)", x -> x.irfft(4));
    array(
        "stft(long,long,boolean,NDArray,boolean)",
        x -> x.stft(2, 1, false, x.getManager().ones(new Shape(2)), true));
    array(
        "stft(long,long,boolean,NDArray,boolean,boolean)",
        x -> x.stft(2, 1, false, x.getManager().ones(new Shape(2)), false, true));
    array("squeeze(int)", x -> x.expandDims(0).squeeze(0));
    array("squeeze(int[])", x -> x.expandDims(0).squeeze(new int[] {0}));
    array("trace(int,int,int)", x -> x.trace(0, 0, 1));
    array("diagonal(int,int,int)", x -> x.diagonal(0, 0, 1));
    array("inverse()", x -> x.getManager().eye(3).inverse());
    array("tile(int,long)", x -> x.tile(0, 2));
    array("repeat(int,long)", x -> x.repeat(0, 2));
    array("matMul(NDArray)", x -> x.matMul(x.transpose()));
    array("dot(NDArray)", x -> x.dot(x.transpose()));
    array("batchMatMul(NDArray)", x -> cube(x).batchMatMul(cube(x).transpose(0, 2, 1)));
    array("batchDot(NDArray)", x -> cube(x).batchDot(cube(x).transpose(0, 2, 1)));
    array("swapAxes(int,int)", x -> x.swapAxes(0, 1));
    array("transpose(int[])", x -> x.transpose(1, 0));
    array("topK(int,int)", x -> x.topK(1, 0));
    array("topK(int,int,boolean,boolean)", x -> x.topK(1, 0, true, true));
    array("percentile(Number)", x -> x.percentile(50));
    array("oneHot(int)", x -> places(x, 0, 1).oneHot(3));
    array("oneHot(int,DataType)", x -> places(x, 0, 1).oneHot(3, DataType.INT32));
    array(
        "oneHot(int,float,float,DataType)",
        x -> places(x, 0, 1).oneHot(3, 1f, 0f, DataType.FLOAT32));
    array("complex()", x -> x.reshape(3, 2).complex());
    array("real()", x -> x.reshape(3, 2).complex().real());
    array("diff(int,int)", x -> x.diff(1, 0));
    array("norm(int,int[],boolean)", x -> x.norm(2, new int[] {0}, false));
    array("acosh()", x -> x.add(1).acosh());
    array("intern(NDArray)", x -> x.intern(x.getManager().ones(new Shape(1))));
    array("unique(Integer,boolean,boolean,boolean)", x -> x.unique(0, true, true, true));
    array("toDebugString(int,int,int,int,boolean)", x -> x.toDebugString(10, 10, 10, 10, true));
    array("broadcast(long[])", x -> x.broadcast(4, 2, 3));
    array("stack(NDArray,int)", x -> x.stack(x.neg(), 0));
    array("detach()", x -> detached(x));

    pooling("maxPool(Shape,Shape,Shape,boolean)", x -> x.maxPool(two(), two(), none(), false));
    pooling(
        "avgPool(Shape,Shape,Shape,boolean,boolean)",
        x -> x.avgPool(two(), two(), none(), false, true));
    pooling(
        "lpPool(float,Shape,Shape,Shape,boolean)", x -> x.lpPool(2, two(), two(), none(), false));
    pooling("globalMaxPool()", NDArrayEx::globalMaxPool);
    pooling("globalAvgPool()", NDArrayEx::globalAvgPool);
    pooling("globalLpPool(float)", x -> x.globalLpPool(2));
    pooling("interpolation(long[],int,boolean)", x -> x.interpolation(new long[] {6, 6}, 0, false));
    pooling(
        "convolution(NDArray,NDArray,NDArray,Shape,Shape,Shape,int)",
        x -> x.convolution(x.getArray(), filters(x), null, ones(), none(), ones(), 1));
    pooling(
        "deconvolution(NDArray,NDArray,NDArray,Shape,Shape,Shape,Shape,int)",
        x -> x.deconvolution(x.getArray(), filters(x), null, ones(), none(), none(), ones(), 1));
    pooling(
        "batchNorm(NDArray,NDArray,NDArray,NDArray,NDArray,int,float,float,boolean)",
        x -> x.batchNorm(x.getArray(), row(x, 2), row(x, 2), null, null, 1, 0.9f, 1e-5f, false));
    extended("adadeltaUpdate", x -> x.adadeltaUpdate(states(x, 2), weights(x), 0, 1, 0, 0.9f, 1));
    extended("adagradUpdate", x -> x.adagradUpdate(states(x, 1), weights(x), 1, 0, 1, 0, 1e-5f));
    extended(
        "adamUpdate",
        x ->
            x.adamUpdate(states(x, 2), weights(x), 1, 1, 0, 1, 0, 0.9f, 0.9f, 1e-5f, false, false));
    extended("nagUpdate", x -> x.nagUpdate(states(x, 1), weights(x), 1, 0, 1, 0, 0.9f));
    extended(
        "rmspropUpdate",
        x -> x.rmspropUpdate(states(x, 3), weights(x), 1, 0, 1, 0, 0.9f, 0.9f, 1e-5f, true));
    extended("sgdUpdate", x -> x.sgdUpdate(states(x, 1), weights(x), 1, 0, 1, 0, 0.9f, false));
    extended("linear", x -> x.linear(x.getArray(), x.getArray(), null));
    extended(
        "embedding",
        x -> x.embedding(places(x.getArray(), 0, 1), x.getArray(), SparseFormat.DENSE));
    extended("prelu", x -> x.prelu(x.getArray(), row(x, 1)));
    extended("dropout", x -> x.dropout(x.getArray(), 0.5f, true));
    extended(
        "layerNorm", x -> x.layerNorm(x.getArray(), new Shape(3), row(x, 3), row(x, 3), 1e-5f));
    extended(
        "rnn",
        x ->
            x.rnn(
                sequence(x),
                state(x),
                recurrent(x, 1),
                true,
                1,
                RNN.Activation.TANH,
                0,
                false,
                false,
                false));
    extended(
        "gru", x -> x.gru(sequence(x), state(x), recurrent(x, 3), true, 1, 0, false, false, false));
    extended(
        "lstm",
        x ->
            x.lstm(
                sequence(x),
                new NDList(state(x), state(x)),
                recurrent(x, 4),
                true,
                1,
                0,
                false,
                false,
                false));
    image("normalize(float[],float[])", x -> x.normalize(new float[3], new float[] {1, 1, 1}));
    image("toTensor()", NDArrayEx::toTensor);
    image("resize(int,int,int)", x -> x.resize(2, 2, 1));
    image("crop(int,int,int,int)", x -> x.crop(0, 0, 2, 2));
    image("randomFlipLeftRight()", NDArrayEx::randomFlipLeftRight);
    image("randomFlipTopBottom()", NDArrayEx::randomFlipTopBottom);
    image("randomBrightness(float)", x -> x.randomBrightness(0.5f));
    image("randomHue(float)", x -> x.randomHue(0.5f));
    image(
        "randomColorJitter(float,float,float,float)",
        x -> x.randomColorJitter(0.1f, 0.1f, 0.1f, 0.1f));
    extended("where", x -> x.where(x.getArray().gt(0.3f), x.getArray()));
    extended("multiBoxTarget", x -> boxes(x, true));
    extended("multiBoxDetection", x -> boxes(x, false));
    pooling(
        "multiBoxPrior(List,List,List,List,boolean)",
        x ->
            x.multiBoxPrior(
                List.of(0.5f), List.of(1f), List.of(-1f, -1f), List.of(0.5f, 0.5f), false));
  }

  private static void array(String name, Consumer<NDArray> call) {
    CALLS.put(name, m -> call.accept(numbers(m)));
  }

  private static void typed(String name, DataType type, Consumer<NDArray> call) {
    CALLS.put(name, m -> call.accept(numbers(m).toType(type, true)));
  }

  /** A method that has no other of its name. */
  private static void extended(String name, Consumer<NDArrayEx> call) {
    String signature =
        Arrays.stream(NDArrayEx.class.getMethods())
            .filter(method -> method.getName().equals(name))
            .map(EveryMethodTest::signature)
            .collect(Collectors.joining());
    CALLS.put(signature, m -> call.accept(numbers(m).getNDArrayInternal()));
  }

  /** Of [batch, channels, height, width]. */
  private static void pooling(String signature, Consumer<NDArrayEx> call) {
    CALLS.put(signature, m -> call.accept(m.ones(new Shape(1, 2, 4, 4)).getNDArrayInternal()));
  }

  /** Of [height, width, channels]. */
  private static void image(String signature, Consumer<NDArrayEx> call) {
    CALLS.put(
        signature,
        m -> {
          boolean planes = signature.startsWith("normalize");
          NDArray pixels = m.ones(planes ? new Shape(3, 4, 4) : new Shape(4, 4, 3));
          call.accept(pixels.getNDArrayInternal());
        });
  }

  private static NDArray numbers(NDManager manager) {
    return manager.create(new float[] {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}, new Shape(2, 3));
  }

  private static NDArray places(NDArray x, long... places) {
    return x.getManager().create(places);
  }

  private static NDArray cube(NDArray x) {
    return x.reshape(1, 2, 3);
  }

  private static NDArray row(NDArrayEx x, long length) {
    return x.getArray().getManager().ones(new Shape(length));
  }

  private static NDArray filters(NDArrayEx x) {
    return x.getArray().getManager().ones(new Shape(2, 2, 2, 2));
  }

  private static Shape two() {
    return new Shape(2, 2);
  }

  private static Shape ones() {
    return new Shape(1, 1);
  }

  private static Shape none() {
    return new Shape(0, 0);
  }

  private static NDArray withGradient(NDArray x) {
    x.setRequiresGradient(true);
    return x;
  }

  private static void detached(NDArray x) {
    x.detach();
    x.close();
  }

  private static NDList weights(NDArrayEx x) {
    return new NDList(x.getArray());
  }

  /** A weight, its gradient and an optimizer's states. */
  private static NDList states(NDArrayEx x, int count) {
    NDList list = new NDList(x.getArray(), x.getArray().duplicate());
    for (int i = 0; i < count; i++) {
      list.add(x.getArray().zerosLike());
    }
    return list;
  }

  private static NDArray sequence(NDArrayEx x) {
    return x.getArray().getManager().ones(new Shape(3, 1, 2));
  }

  private static NDArray state(NDArrayEx x) {
    return x.getArray().getManager().ones(new Shape(1, 1, 4));
  }

  private static NDList recurrent(NDArrayEx x, int gates) {
    NDManager m = x.getArray().getManager();
    long width = 4L * gates;
    return new NDList(
        m.ones(new Shape(width, 2)),
        m.ones(new Shape(width, 4)),
        m.ones(new Shape(width)),
        m.ones(new Shape(width)));
  }

  private static void boxes(NDArrayEx x, boolean target) {
    NDManager m = x.getArray().getManager();
    NDArray anchors =
        m.create(new float[] {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.5f, 0.9f, 0.9f}, new Shape(1, 2, 4));
    if (target) {
      NDArray labels = m.create(new float[] {0, 0.1f, 0.2f, 0.3f, 0.4f}, new Shape(1, 1, 5));
      NDArray scores = m.ones(new Shape(1, 2, 2));
      x.multiBoxTarget(new NDList(anchors, labels, scores), 0.5f, -1, -1, 0.5f, 0);
    } else {
      NDArray scores = m.ones(new Shape(1, 2, 2)).mul(0.5f);
      NDArray offsets = m.zeros(new Shape(1, 8));
      x.multiBoxDetection(new NDList(scores, offsets, anchors), true, 0.01f, 0, 0.5f, false, -1);
    }
  }

  private static String signature(Method method) {
    return Arrays.stream(method.getParameterTypes())
        .map(Class::getSimpleName)
        .collect(Collectors.joining(",", method.getName() + "(", ")"));
  }

  static Stream<Method> methods() {
    Stream<Method> ofArray =
        Arrays.stream(NDArray.class.getMethods())
            .filter(m -> m.getDeclaringClass().getName().startsWith("ai.djl"));
    return Stream.concat(ofArray, Arrays.stream(NDArrayEx.class.getMethods()))
        .filter(m -> !Modifier.isStatic(m.getModifiers()) && !m.isBridge())
        .sorted(java.util.Comparator.comparing(EveryMethodTest::signature));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("methods")
  void is_there(Method method) throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = Engine.getEngine("Gatun").newBaseManager()) {
            Consumer<NDManager> call = CALLS.get(signature(method));
            if (call != null) {
              call.accept(manager);
              return;
            }
            NDArray x = numbers(manager);
            Object on = method.getDeclaringClass() == NDArrayEx.class ? x.getNDArrayInternal() : x;
            Object[] arguments =
                Arrays.stream(method.getParameterTypes()).map(type -> argument(type, x)).toArray();
            try {
              method.invoke(on, arguments);
            } catch (InvocationTargetException e) {
              throw new AssertionError(signature(method) + ": " + e.getCause(), e.getCause());
            }
          }
        });
  }

  @Test
  void each_call_is_of_a_method() {
    TreeSet<String> unused = new TreeSet<>(CALLS.keySet());
    unused.removeAll(methods().map(EveryMethodTest::signature).toList());
    assertEquals(new TreeSet<String>(), unused);
    assertTrue(methods().count() > 240);
  }

  private static Object argument(Class<?> type, NDArray x) {
    return switch (type.getSimpleName()) {
      case "NDArray" -> x.duplicate();
      case "NDManager" -> x.getManager();
      case "NDList" -> new NDList(x.duplicate());
      case "NDIndex" -> new NDIndex(0);
      case "Number", "Integer" -> 1;
      case "int" -> 0;
      case "long" -> 1L;
      case "float" -> 0.5f;
      case "double" -> 0.5;
      case "boolean" -> true;
      case "String" -> "0";
      case "int[]" -> new int[] {0};
      case "long[]" -> new long[] {1, 1};
      case "Shape" -> new Shape(2, 3);
      case "DataType" -> DataType.FLOAT64;
      case "Device" -> Device.cpu();
      case "SparseFormat" -> SparseFormat.COO;
      case "Buffer" -> (Buffer) FloatBuffer.allocate(6);
      case "Charset" -> StandardCharsets.UTF_8;
      case "Function" -> (Function<NDArray, NDArray>) NDArray::neg;
      default -> throw new AssertionError("no argument of " + type);
    };
  }
}
