package dev.gatun.test.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * llama.cpp by its C API, out of the npm package {@value #PACKAGE}, or out of the folder that the
 * property {@value #SETTING} names: a model's tokens, scores and states.
 */
final class LlamaCpp implements AutoCloseable {
  static final String PACKAGE = "@node-llama-cpp/linux-x64@3.22.1";
  static final String SETTING = "gatun.test.llama_cpp";

  // Larger than either structure of settings, which go by value.
  private static final MemoryLayout SETTINGS =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(64, JAVA_LONG));
  private static final MemoryLayout BATCH =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(7, JAVA_LONG));
  private static final int CONTEXT = 256;
  private static final long FLASH_ATTENTION = 52;
  private static final long FILE_TYPE = 4;

  private final Arena arena = Arena.ofShared();
  private final SymbolLookup llama;
  private final MemorySegment model;
  private final MemorySegment context;

  /** The libraries' folder; brings them there. */
  static Path folder() throws IOException {
    String set = System.getProperty(SETTING);
    if (set != null) {
      return Path.of(set);
    }
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!system.equals("Linux amd64")) {
      throw new IOException("the npm package %s is not for %s".formatted(PACKAGE, system));
    }
    Path place = Path.of("target", "llama.cpp").toAbsolutePath();
    Path folder = place.resolve("package/bins/linux-x64");
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(place);
      run(place, "npm", "pack", "--silent", PACKAGE);
      try (var archives = Files.newDirectoryStream(place, "*.tgz")) {
        for (Path archive : archives) {
          run(place, "tar", "xzf", archive.getFileName().toString());
        }
      }
    }
    return folder;
  }

  private static void run(Path place, String... command) throws IOException {
    Process process =
        new ProcessBuilder(command).directory(place.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("%s: %s".formatted(String.join(" ", command), said.strip()));
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Loads a model. */
  LlamaCpp(Path folder, Path gguf) throws IOException {
    SymbolLookup ggml = library(folder, "libggml.v");
    llama = library(folder, "libllama.v");
    call(ggml, "ggml_backend_load_all_from_path", null, text(folder.toAbsolutePath().toString()));
    call(llama, "llama_backend_init", null);
    Object settings = call(llama, "llama_model_default_params", SETTINGS, arena);
    model =
        (MemorySegment)
            call(
                llama,
                "llama_model_load_from_file",
                ADDRESS,
                text(gguf.toAbsolutePath().toString()),
                settings);
    if (model.equals(MemorySegment.NULL)) {
      throw new IOException(gguf + ": llama.cpp does not load it");
    }
    MemorySegment of = (MemorySegment) call(llama, "llama_context_default_params", SETTINGS, arena);
    of.set(JAVA_INT, 0, CONTEXT);
    // Attention as one product after another, with sums in F32.
    if (of.get(JAVA_INT, FLASH_ATTENTION) != -1) {
      throw new IOException("llama_context_params has another form than that of " + PACKAGE);
    }
    of.set(JAVA_INT, FLASH_ATTENTION, 0);
    context = (MemorySegment) call(llama, "llama_init_from_model", ADDRESS, model, of);
    // More of them than cores would wait for each other in loops.
    call(llama, "llama_set_n_threads", null, context, 1, 1);
  }

  /**
   * Rows as ggml quantises them.
   *
   * @param importance of the columns; null where all are alike
   */
  static byte[] quantize(
      Path folder, int type, float[] rows, int columns, float[] importance, int bytes)
      throws IOException {
    SymbolLookup base = library(folder, "libggml-base.so");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blocks = arena.allocate(bytes, 64);
      Object written =
          call(
              base,
              "ggml_quantize_chunk",
              JAVA_LONG,
              type,
              pointer(arena.allocateFrom(JAVA_FLOAT, rows)),
              pointer(blocks),
              0L,
              (long) (rows.length / columns),
              (long) columns,
              importance == null
                  ? MemorySegment.NULL
                  : pointer(arena.allocateFrom(JAVA_FLOAT, importance)));
      if ((long) written != bytes) {
        throw new IllegalStateException("ggml writes %s bytes, not %d".formatted(written, bytes));
      }
      return blocks.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Writes a file in another mixture, as llama.cpp's quantiser does.
   *
   * @param fileType the mixture's number, as general.file_type has it
   * @return whether it could
   */
  static boolean quantize(Path folder, Path gguf, Path out, int fileType) throws IOException {
    SymbolLookup ggml = library(folder, "libggml.v");
    SymbolLookup llama = library(folder, "libllama.v");
    try (Arena arena = Arena.ofConfined()) {
      call(
          ggml,
          "ggml_backend_load_all_from_path",
          null,
          pointer(arena.allocateFrom(folder.toAbsolutePath().toString())));
      call(llama, "llama_backend_init", null);
      MemorySegment settings =
          (MemorySegment) call(llama, "llama_model_quantize_default_params", SETTINGS, arena);
      settings.set(JAVA_INT, 0, 1);
      settings.set(JAVA_INT, FILE_TYPE, fileType);
      Object status =
          call(
              llama,
              "llama_model_quantize",
              JAVA_INT,
              pointer(arena.allocateFrom(gguf.toAbsolutePath().toString())),
              pointer(arena.allocateFrom(out.toAbsolutePath().toString())),
              pointer(settings));
      return (int) status == 0;
    }
  }

  private static SymbolLookup library(Path folder, String prefix) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Path found =
          files
              .filter(file -> file.getFileName().toString().startsWith(prefix))
              .findAny()
              .orElseThrow(() -> new IOException("%s: no %s*.so".formatted(folder, prefix)));
      return SymbolLookup.libraryLookup(found, Arena.global());
    }
  }

  private MemorySegment text(String text) {
    return pointer(arena.allocateFrom(text));
  }

  /** Without a size, by which structures that go by value are told. */
  private static MemorySegment pointer(MemorySegment memory) {
    return MemorySegment.ofAddress(memory.address());
  }

  private static Object call(
      SymbolLookup from, String name, MemoryLayout result, Object... arguments) {
    MemoryLayout[] layouts =
        Arrays.stream(arguments)
            .filter(a -> !(a instanceof Arena))
            .map(LlamaCpp::layout)
            .toArray(MemoryLayout[]::new);
    FunctionDescriptor descriptor =
        result == null
            ? FunctionDescriptor.ofVoid(layouts)
            : FunctionDescriptor.of(result, layouts);
    MethodHandle handle = Linker.nativeLinker().downcallHandle(from.findOrThrow(name), descriptor);
    try {
      return handle.invokeWithArguments(List.of(arguments));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MemoryLayout layout(Object argument) {
    return switch (argument) {
      case Integer _ -> JAVA_INT;
      case Long _ -> JAVA_LONG;
      case Boolean _ -> JAVA_BOOLEAN;
      case MemorySegment s when s.byteSize() == SETTINGS.byteSize() -> SETTINGS;
      case MemorySegment s when s.byteSize() == BATCH.byteSize() -> BATCH;
      default -> ADDRESS;
    };
  }

  /** A text's tokens, with those that the file says belong around it. */
  int[] tokens(String text) {
    MemorySegment vocab = (MemorySegment) call(llama, "llama_model_get_vocab", ADDRESS, model);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    MemorySegment ids = arena.allocate(JAVA_INT, CONTEXT);
    int count =
        (int)
            call(
                llama,
                "llama_tokenize",
                JAVA_INT,
                vocab,
                text(text),
                bytes.length,
                pointer(ids),
                CONTEXT,
                true,
                false);
    return ids.asSlice(0, 4L * count).toArray(JAVA_INT);
  }

  /** The scores of what follows tokens, which follow those of earlier calls. */
  float[] scores(int vocabSize, int... ids) {
    MemorySegment tokens = arena.allocateFrom(JAVA_INT, ids);
    Object batch = call(llama, "llama_batch_get_one", BATCH, arena, pointer(tokens), ids.length);
    int status = (int) call(llama, "llama_decode", JAVA_INT, context, batch);
    if (status != 0) {
      throw new IllegalStateException("llama_decode gives " + status);
    }
    return ((MemorySegment) call(llama, "llama_get_logits_ith", ADDRESS, context, -1))
        .reinterpret(4L * vocabSize)
        .toArray(JAVA_FLOAT);
  }

  /** The vector that a model whose file says how makes of all tokens. */
  float[] vector(int width, int... ids) {
    call(llama, "llama_set_embeddings", null, context, true);
    MemorySegment tokens = arena.allocateFrom(JAVA_INT, ids);
    Object batch = call(llama, "llama_batch_get_one", BATCH, arena, pointer(tokens), ids.length);
    int status = (int) call(llama, "llama_decode", JAVA_INT, context, batch);
    if (status != 0) {
      throw new IllegalStateException("llama_decode gives " + status);
    }
    return ((MemorySegment) call(llama, "llama_get_embeddings_seq", ADDRESS, context, 0))
        .reinterpret(4L * width)
        .toArray(JAVA_FLOAT);
  }

  /** The states that an encoder gives tokens, [tokens, width]. */
  float[] states(int width, int... ids) {
    call(llama, "llama_set_embeddings", null, context, true);
    MemorySegment tokens = arena.allocateFrom(JAVA_INT, ids);
    Object batch = call(llama, "llama_batch_get_one", BATCH, arena, pointer(tokens), ids.length);
    int status = (int) call(llama, "llama_encode", JAVA_INT, context, batch);
    if (status != 0) {
      throw new IllegalStateException("llama_encode gives " + status);
    }
    return ((MemorySegment) call(llama, "llama_get_embeddings", ADDRESS, context))
        .reinterpret(4L * ids.length * width)
        .toArray(JAVA_FLOAT);
  }

  @Override
  public void close() {
    call(llama, "llama_free", null, context);
    call(llama, "llama_model_free", null, model);
    arena.close();
  }
}
