package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** PyTorch's files of weights, whole, damaged and hostile; {@code make_torch.py} wrote them. */
final class TorchFileTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/torch");

  // What transformers gives for the ids 1, 2, 3, 4; printed by make_torch.py.
  private static final float[] STATES = {
    -0.43697699904441833f, -0.5669811964035034f, 1.7233752012252808f, -0.7194170355796814f,
    1.262814998626709f, -0.5598278045654297f, 0.6089217662811279f, -1.3119090795516968f,
    1.525503158569336f, -0.5007745623588562f, 0.15734867751598358f, -1.182077169418335f,
    1.162825584411621f, 0.7986498475074768f, -1.18846595287323f, -0.7730096578598022f
  };

  @TempDir private Path folder;

  @Test
  void a_traced_model_is_one() throws IOException {
    Files.copy(GOLDEN.resolve("bert.json"), folder.resolve("config.json"));
    Files.copy(GOLDEN.resolve("bert.pt"), folder.resolve("all-MiniLM.pt"));
    try (TensorFile file = TensorFile.open(folder)) {
      assertTrue(file.names().contains("encoder.layer.0.attention.self.query.weight"));
      assertTrue(file.names().stream().noneMatch(name -> name.endsWith("position_ids")));
    }
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{1, 2, 3, 4}}))) {
      assertArrayEquals(STATES, output.lastHiddenState().toFloatArray(), 1e-5f);
    }
  }

  @Test
  void views_are_their_elements() throws IOException {
    try (TensorFile file = TensorFile.open(GOLDEN.resolve("views.bin"))) {
      assertEquals(
          Set.of(
              "whole",
              "transposed",
              "row",
              "column",
              "half",
              "bfloat",
              "scalar",
              "empty",
              "bool",
              "parameter"),
          file.names());
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, floats(file, "whole"));
      assertArrayEquals(
          new float[] {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}, floats(file, "transposed"));
      assertArrayEquals(new long[] {4, 3}, file.get("transposed").shape());
      assertArrayEquals(new float[] {4, 5, 6, 7}, floats(file, "row"));
      assertArrayEquals(new float[] {2, 6, 10}, floats(file, "column"));
      assertArrayEquals(new float[] {0, 1, 4, 5}, floats(file, "parameter"));
      assertEquals(DType.BF16, file.get("bfloat").dtype());
      short half = file.get("half").data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, 7);
      assertEquals(3.5f, Float.float16ToFloat(half));
      assertEquals(7, file.get("scalar").data().get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      assertEquals(0, file.get("scalar").shape().length);
      assertArrayEquals(new long[] {0, 3}, file.get("empty").shape());
      assertEquals(DType.BOOL, file.get("bool").dtype());
      assertThrows(WeightsException.class, () -> file.get("wholes"));
    }
  }

  private static float[] floats(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  @Test
  void shards_are_one_file() throws IOException {
    Files.copy(GOLDEN.resolve("views.bin"), folder.resolve("pytorch_model-1.bin"));
    Files.writeString(
        folder.resolve("pytorch_model.bin.index.json"),
        "{\"weight_map\": {\"row\": \"pytorch_model-1.bin\"}}");
    try (TensorFile file = TensorFile.open(folder)) {
      assertEquals(Set.of("row"), file.names());
      assertArrayEquals(new float[] {4, 5, 6, 7}, floats(file, "row"));
    }
  }

  @Test
  void nothing_is_called() {
    String message = refused(GOLDEN.resolve("asks.bin"));
    assertTrue(message.contains("posix.getcwd"), message);
  }

  private static String refused(Path file) {
    return assertThrows(WeightsException.class, () -> read(file)).getMessage();
  }

  private static void read(Path path) throws IOException {
    try (TensorFile file = TensorFile.open(path)) {
      for (String name : file.names()) {
        file.get(name);
      }
    }
  }

  /** An archive with a pickle and a storage of 16 bytes. */
  private Path archive(byte[] pickle, String... more) throws IOException {
    Path path = folder.resolve("made.bin");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      stored(zip, "made/data.pkl", pickle);
      stored(zip, "made/data/0", new byte[16]);
      for (String name : more) {
        stored(zip, name, "little".getBytes(StandardCharsets.US_ASCII));
      }
    }
    return path;
  }

  private static void stored(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    CRC32 sum = new CRC32();
    sum.update(bytes);
    entry.setCrc(sum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
  }

  private static byte[] pickle(Object... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[] {(byte) 0x80, 2});
    for (Object part : parts) {
      if (part instanceof Integer code) {
        bytes.write(code);
      } else {
        bytes.writeBytes(part.toString().getBytes(StandardCharsets.ISO_8859_1));
      }
    }
    bytes.write('.');
    return bytes.toByteArray();
  }

  /** A state dict of one tensor {@code t}. */
  private static byte[] tensor(String type, int elements, int offset, int length, int stride) {
    return pickle(
        "}(X\1\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n",
        type,
        "\nX\1\0\0\0",
        "0X\3\0\0\0cpuK",
        elements,
        "tQK",
        offset,
        "K",
        length,
        0x85,
        "K",
        stride,
        0x85,
        0x89,
        "}tRu");
  }

  @Test
  void a_made_archive_is_read() throws IOException {
    read(archive(tensor("FloatStorage", 4, 1, 3, 1), "made/byteorder"));
    read(archive(tensor("FloatStorage", 4, 0, 2, 3)));
  }

  @Test
  void what_a_storage_does_not_have_is_refused() throws IOException {
    for (byte[] bad :
        List.of(
            tensor("FloatStorage", 4, 2, 3, 1),
            tensor("FloatStorage", 5, 0, 5, 1),
            tensor("FloatStorage", 4, 0, 200, 0),
            tensor("FloatStorage", 4, 0, 2, 4),
            tensor("DoubleStorage", 4, 0, 4, 1),
            tensor("QInt8Storage", 4, 0, 4, 1))) {
      String message = refused(archive(bad));
      assertTrue(message.contains("tensor t"), message);
    }
  }

  @Test
  void hostile_pickles_are_refused() throws IOException {
    String deep = "}(X\1\0\0\0a".repeat(150);
    for (Object[] bad :
        new Object[][] {
          {"cos\nsystem\n(X\2\0\0\0lstR", "os.system"},
          {"cbuiltins\neval\n)R", "builtins.eval"},
          {"c__main__\nModel\n)\u0081", "__main__.Model"},
          {"(i__main__\nModel\n", "opcode 0x69"},
          {"P0\n", "opcode 0x50"},
          {"X\u00ff\u00ff\u00ff\u007fabc", "more are needed"},
          {"\u008a\u0009abcdefghi", "whole number"},
          {"h\7", "not kept"},
          {"}}s", "missing"},
          {"}((K\1tK\1u", "key"},
          {"}}K\1s", "key"},
          {deep + "N" + "u".repeat(150), "in each other"},
          // A map that has itself twice: 2^100 names.
          {"}q\0(X\1\0\0\0ah\0X\1\0\0\0bh\0u", "in each other"},
          {"K\1", "names no tensors"},
          {"", "missing"},
          {"(((((", "missing"}
        }) {
      String message = refused(archive(pickle(bad[0])));
      assertTrue(message.contains((String) bad[1]), bad[1] + " in " + message);
    }
  }

  @Test
  void hostile_archives_are_refused() throws IOException {
    byte[] good = Files.readAllBytes(archive(tensor("FloatStorage", 4, 0, 4, 1)));
    Path path = folder.resolve("bad.bin");
    int directory = good.length - 22;
    int first = good[directory + 16] & 0xff | (good[directory + 17] & 0xff) << 8;
    for (int[] change :
        new int[][] {
          {directory, 0}, // no directory
          {directory + 10, 200}, // more records than there are bytes
          {directory + 19, 0x7f}, // a directory beyond the end
          {first + 10, 8}, // a compressed record
          {first + 45, 0x7f}, // a record beyond the end
          {first + 20, 0xff}, // of another size than unpacked
          {0, 'Q'}, // no zip archive
          {30, 'x'} // another name than in the directory
        }) {
      byte[] bytes = good.clone();
      bytes[change[0]] = (byte) change[1];
      Files.deleteIfExists(path);
      Files.write(path, bytes);
      assertTrue(refused(path).startsWith(path.toString()), Arrays.toString(change));
    }
    Path twice = archive(tensor("FloatStorage", 4, 0, 4, 1), "other/data.pkl");
    assertTrue(refused(twice).contains("twice"));
  }

  @Test
  void damaged_files_end_in_an_exception_of_weights() throws IOException {
    long seed = Long.getLong("gatun.test.seed", 1);
    Random random = new Random(seed);
    int refused = 0;
    for (String name : List.of("views.bin", "bert.pt")) {
      byte[] whole = Files.readAllBytes(GOLDEN.resolve(name));
      for (int i = 0; i < 800; i++) {
        byte[] bytes =
            random.nextInt(8) == 0
                ? Arrays.copyOf(whole, random.nextInt(whole.length))
                : whole.clone();
        for (int n = bytes.length == 0 ? 0 : 1 + random.nextInt(4); n > 0; n--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        Path path = folder.resolve("damaged.bin");
        Files.deleteIfExists(path);
        Files.write(path, bytes);
        try {
          read(path);
        } catch (WeightsException e) {
          refused++;
        } catch (RuntimeException | Error e) {
          throw new AssertionError("seed " + seed + " " + name + " case " + i, e);
        }
      }
    }
    assertTrue(refused > 250, "seed " + seed + ": only " + refused + " were refused");
  }
}
