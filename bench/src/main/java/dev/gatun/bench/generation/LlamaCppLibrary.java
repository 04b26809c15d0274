package dev.gatun.bench.generation;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the bench calls of llama.cpp's C API, as its release {@link LlamaCppFiles#RELEASE} has it.
 * Settings go by value in structures whose places of interest are checked by their defaults; memory
 * beyond a structure's own is never looked at.
 */
final class LlamaCppLibrary {
  // Larger than either structure of settings.
  private static final MemoryLayout SETTINGS =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(64, JAVA_LONG));
  private static final MemoryLayout BATCH =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(7, JAVA_LONG));
  private static final AddressLayout FLOATS =
      ADDRESS.withTargetLayout(
          MemoryLayout.sequenceLayout(Integer.MAX_VALUE, ValueLayout.JAVA_FLOAT));

  // Places in the settings of a context, and what the release has there by default.
  private static final int N_CTX = 0;
  private static final int N_BATCH = 4;
  private static final int N_UBATCH = 8;
  private static final int N_SEQ_MAX = 12;
  private static final int N_THREADS = 28;
  private static final int N_THREADS_BATCH = 32;
  private static final int TYPE_K = 104;
  private static final int[][] DEFAULTS = {
    {N_CTX, 512}, {N_BATCH, 2048}, {N_UBATCH, 512}, {N_SEQ_MAX, 1}, {N_THREADS, 4},
    {N_THREADS_BATCH, 4}, {40, -1}, {52, -1}, {TYPE_K, 1}, {TYPE_K + 4, 1}
  };

  /** GGML_BACKEND_DEVICE_TYPE_CPU. */
  private static final int CPU = 0;

  /** ggml_threadpool_params ends with a mask of 512 processors and a few numbers. */
  private static final int POOL_BYTES = 1024;

  private final Arena arena = Arena.global();
  private final Linker linker = Linker.nativeLinker();
  private final SymbolLookup llama;
  private final SymbolLookup ggml;
  private final SymbolLookup base;

  private final MethodHandle decode;
  private final MethodHandle logits;
  private final MethodHandle cut;

  /** Loads the libraries of a folder. */
  LlamaCppLibrary(Path folder) throws IOException {
    base = SymbolLookup.libraryLookup(folder.resolve("libggml-base.so"), arena);
    ggml = SymbolLookup.libraryLookup(library(folder, "libggml.v"), arena);
    llama = SymbolLookup.libraryLookup(library(folder, "libllama.v"), arena);
    invoke(
        handle(ggml, "ggml_backend_load_all_from_path", null, ADDRESS),
        arena.allocateFrom(folder.toAbsolutePath().toString()));
    invoke(handle(llama, "llama_backend_init", null));
    decode = handle(llama, "llama_decode", JAVA_INT, ADDRESS, BATCH);
    logits = handle(llama, "llama_get_logits_ith", FLOATS, ADDRESS, JAVA_INT);
    cut = handle(llama, "llama_memory_seq_rm", JAVA_BOOLEAN, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
  }

  private static Path library(Path folder, String prefix) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .findAny()
          .orElseThrow(() -> new IOException("%s: no %s*.so".formatted(folder, prefix)));
    }
  }

  private MethodHandle handle(
      SymbolLookup from, String name, MemoryLayout result, MemoryLayout... arguments) {
    return handle(from.findOrThrow(name), result, arguments);
  }

  private MethodHandle handle(
      MemorySegment function, MemoryLayout result, MemoryLayout... arguments) {
    return linker.downcallHandle(
        function,
        result == null
            ? FunctionDescriptor.ofVoid(arguments)
            : FunctionDescriptor.of(result, arguments));
  }

  private static Object invoke(MethodHandle handle, Object... arguments) {
    try {
      return handle.invokeWithArguments(List.of(arguments));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the library calls itself. */
  String version() {
    MethodHandle version =
        handle(
            llama,
            "llama_version",
            ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(64, ValueLayout.JAVA_BYTE)));
    return ((MemorySegment) invoke(version)).getString(0);
  }

  /** A model with the default settings, which pack weights for the processor. */
  MemorySegment load(Path gguf) throws IOException {
    MemorySegment settings =
        (MemorySegment)
            invoke(handle(llama, "llama_model_default_params", SETTINGS), (Object) arena);
    MemorySegment model =
        (MemorySegment)
            invoke(
                handle(llama, "llama_model_load_from_file", ADDRESS, ADDRESS, SETTINGS),
                arena.allocateFrom(gguf.toAbsolutePath().toString()),
                settings);
    if (model.equals(MemorySegment.NULL)) {
      throw new IOException(gguf + ": llama.cpp does not load it");
    }
    return model;
  }

  void freeModel(MemorySegment model) {
    invoke(handle(llama, "llama_model_free", null, ADDRESS), model);
  }

  /** A context with threads of its own that stay, as llama.cpp's programs have them. */
  MemorySegment context(MemorySegment model, int length, int sequences, int threads) {
    MemorySegment settings =
        (MemorySegment)
            invoke(handle(llama, "llama_context_default_params", SETTINGS), (Object) arena);
    for (int[] each : DEFAULTS) {
      if (settings.get(JAVA_INT, each[0]) != each[1]) {
        throw new IllegalStateException(
            "llama_context_params has %d at %d, expected %d as of release %s"
                .formatted(
                    settings.get(JAVA_INT, each[0]), each[0], each[1], LlamaCppFiles.RELEASE));
      }
    }
    settings.set(JAVA_INT, N_CTX, length * sequences);
    settings.set(JAVA_INT, N_SEQ_MAX, sequences);
    settings.set(JAVA_INT, N_THREADS, threads);
    settings.set(JAVA_INT, N_THREADS_BATCH, threads);
    MemorySegment context =
        (MemorySegment)
            invoke(
                handle(llama, "llama_init_from_model", ADDRESS, ADDRESS, SETTINGS),
                model,
                settings);
    if (context.equals(MemorySegment.NULL)) {
      throw new IllegalStateException("llama.cpp makes no context of " + length * sequences);
    }
    MemorySegment pool = pool(threads);
    invoke(
        handle(llama, "llama_attach_threadpool", null, ADDRESS, ADDRESS, ADDRESS),
        context,
        pool,
        pool);
    return context;
  }

  private MemorySegment pool(int threads) {
    MemorySegment device =
        (MemorySegment) invoke(handle(ggml, "ggml_backend_dev_by_type", ADDRESS, JAVA_INT), CPU);
    MemorySegment backend =
        (MemorySegment)
            invoke(handle(base, "ggml_backend_dev_backend_reg", ADDRESS, ADDRESS), device);
    MemorySegment make =
        (MemorySegment)
            invoke(
                handle(base, "ggml_backend_reg_get_proc_address", ADDRESS, ADDRESS, ADDRESS),
                backend,
                arena.allocateFrom("ggml_threadpool_new"));
    MemorySegment settings = arena.allocate(POOL_BYTES, 8);
    invoke(handle(base, "ggml_threadpool_params_init", null, ADDRESS, JAVA_INT), settings, threads);
    return (MemorySegment) invoke(handle(make, ADDRESS, ADDRESS), settings);
  }

  void freeContext(MemorySegment context) {
    invoke(handle(llama, "llama_free", null, ADDRESS), context);
  }

  MemorySegment memory(MemorySegment context) {
    return (MemorySegment) invoke(handle(llama, "llama_get_memory", ADDRESS, ADDRESS), context);
  }

  /** Forgets a sequence's tokens from a position on. */
  void cut(MemorySegment memory, int sequence, int from) {
    try {
      boolean _ = (boolean) cut.invokeExact(memory, sequence, from, -1);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Computes a batch. */
  void decode(MemorySegment context, MemorySegment batch) {
    int status;
    try {
      status = (int) decode.invokeExact(context, batch);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    if (status != 0) {
      throw new IllegalStateException("llama_decode gives " + status);
    }
  }

  /** The scores of a batch's token. */
  MemorySegment logits(MemorySegment context, int index) {
    try {
      return (MemorySegment) logits.invokeExact(context, index);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
