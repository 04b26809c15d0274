package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.bindings.cuda.CudaFunction;
import dev.gatun.bindings.cuda.CudaModule;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.memory.Operand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Loads kernels when they are first used, and submits them. */
final class Launcher {
  /** The property that sets how many multiprocessors plans count, for tests. */
  static final String MULTIPROCESSORS = "gatun.cuda.multiprocessors";

  private static final long MOST_BLOCKS_X = Integer.MAX_VALUE;
  private static final long MOST_BLOCKS = 65535;

  private final CudaContext context;
  private final Streams streams;
  private final KernelImages images;
  private final int multiprocessors;
  private final ConcurrentHashMap<String, CudaModule> modules = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, CudaFunction> functions = new ConcurrentHashMap<>();
  private final Queue<Arguments> spare = new ConcurrentLinkedQueue<>();

  Launcher(CudaContext context, Streams streams, KernelImages images) {
    this.context = context;
    this.streams = streams;
    this.images = images;
    this.multiprocessors = multiprocessors(context);
  }

  private static int multiprocessors(CudaContext context) {
    String given = System.getProperty(MULTIPROCESSORS);
    if (given == null) {
      return context.multiprocessors();
    }
    if (!given.matches("[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException(
          "-D%s=%s: a number of multiprocessors, such as 132, is expected"
              .formatted(MULTIPROCESSORS, given));
    }
    return Integer.parseInt(given);
  }

  /**
   * What the driver takes of the images for the device, seen by loading one.
   *
   * @throws CudaException when nothing in it fits
   */
  String code() {
    Map.Entry<String, KernelImages.Entry> first = images.entries().entrySet().iterator().next();
    return module(first.getValue()).function(first.getKey()).code();
  }

  /** The stream that this thread submits to. */
  CudaStream stream() {
    return streams.current();
  }

  /** Whether this thread's calls are recorded and not done. */
  boolean isRecording() {
    return streams.recording() != null;
  }

  /** Keeps what a call uses for as long as the recording that it is made in, if it is. */
  void hold(KernelCall call) {
    Recording recording = streams.recording();
    if (recording != null) {
      recording.hold(call);
    }
  }

  CudaContext context() {
    return context;
  }

  /** The multiprocessors that plans count: the device's, or those that the property names. */
  int multiprocessors() {
    return multiprocessors;
  }

  /** Arguments to fill and to launch with. */
  Arguments arguments() {
    Arguments arguments = spare.poll();
    return arguments == null ? new Arguments() : arguments.clear();
  }

  /** New arguments that begin with operands. */
  Arguments with(Operand... operands) {
    Arguments arguments = arguments();
    for (Operand operand : operands) {
      arguments.operand(operand);
    }
    return arguments;
  }

  /** Submits a kernel with a thread for each of so many elements. */
  void elements(String kernel, long count, Arguments arguments) {
    launch(kernel, Math.ceilDiv(count, images.entries().get(kernel).threads()), 1, 1, 0, arguments);
  }

  /** Submits a kernel with a block for each of so many rows, and shared memory to reduce by. */
  void rows(String kernel, long rows, Arguments arguments) {
    // Eight bytes for each warp.
    launch(kernel, rows, 1, 1, images.entries().get(kernel).threads() / 4, arguments);
  }

  /** The same with blocks of fewer threads than the kernel is made for, a multiple of 32. */
  void rows(String kernel, long rows, int threads, Arguments arguments) {
    launch(kernel, rows, 1, 1, threads, threads / 4, arguments);
  }

  /** The tile of a block of a product's kernel. */
  KernelImages.Tile tile(String kernel) {
    return images.entries().get(kernel).tile();
  }

  /** The threads of a block. */
  int threads(String kernel) {
    return images.entries().get(kernel).threads();
  }

  /** The dynamic shared memory of each launch. */
  int sharedBytes(String kernel) {
    return images.entries().get(kernel).sharedBytes();
  }

  /** Submits a kernel with the shared memory that the list of kernels says. */
  void launch(String kernel, long x, long y, long z, Arguments arguments) {
    launch(kernel, x, y, z, images.entries().get(kernel).sharedBytes(), arguments);
  }

  /** Submits a kernel; nothing where a side of the grid is empty. */
  void launch(String kernel, long x, long y, long z, int sharedBytes, Arguments arguments) {
    launch(kernel, x, y, z, images.entries().get(kernel).threads(), sharedBytes, arguments);
  }

  private void launch(
      String kernel, long x, long y, long z, int threads, int sharedBytes, Arguments arguments) {
    try {
      if (x == 0 || y == 0 || z == 0) {
        return;
      }
      if (x > MOST_BLOCKS_X || y > MOST_BLOCKS || z > MOST_BLOCKS) {
        throw new IllegalArgumentException(
            "%s: a grid of %d x %d x %d blocks is larger than %d x %d x %d"
                .formatted(kernel, x, y, z, MOST_BLOCKS_X, MOST_BLOCKS, MOST_BLOCKS));
      }
      KernelImages.Entry entry = images.entries().get(kernel);
      if (!entry.arguments().contentEquals(arguments.letters())) {
        throw new IllegalStateException(
            "%s: arguments %s, the list of kernels says %s"
                .formatted(kernel, arguments.letters(), entry.arguments()));
      }
      if (entry.sharedBytes() >= 0 && entry.sharedBytes() != sharedBytes) {
        throw new IllegalStateException(
            "%s: %d bytes of shared memory, the list of kernels says %d"
                .formatted(kernel, sharedBytes, entry.sharedBytes()));
      }
      stream()
          .launch(
              function(kernel, entry, arguments),
              new int[] {(int) x, (int) y, (int) z},
              threads,
              sharedBytes,
              arguments.pointers());
    } finally {
      spare.add(arguments);
    }
  }

  private CudaFunction function(String kernel, KernelImages.Entry entry, Arguments arguments) {
    CudaFunction function = functions.get(kernel);
    return function != null
        ? function
        : functions.computeIfAbsent(kernel, k -> find(k, entry, arguments));
  }

  private CudaFunction find(String kernel, KernelImages.Entry entry, Arguments arguments) {
    CudaFunction function = module(entry).function(kernel);
    if (!function.argumentSizes().equals(arguments.sizes())) {
      throw new IllegalStateException(
          "%s of %s takes arguments of %s bytes, a launch has %s: the image is of other sources"
              .formatted(kernel, entry.image(), function.argumentSizes(), arguments.sizes()));
    }
    return function;
  }

  private CudaModule module(KernelImages.Entry entry) {
    return modules.computeIfAbsent(
        entry.image(),
        name -> {
          try {
            return new CudaModule(context, name, images.image(entry));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }
}
