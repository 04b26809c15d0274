package dev.gatun.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.bench.generation.RandomT5;
import dev.gatun.bench.training.DjlTraining;
import dev.gatun.bench.training.TrainingCase;
import dev.gatun.bench.training.TrainingModel;
import dev.gatun.weights.TensorFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * Writes a model as a TorchScript file: a program that a script in bench/make made, with the
 * weights of the model's directory put in.
 *
 * @param program the resource
 * @param names what a parameter of the program is called in the checkpoint; several are one below
 *     the other
 */
record TorchScript(String program, Function<String, String[]> names) {
  static final TorchScript MINILM =
      new TorchScript("minilm-torchscript.zip", TorchScript::namesOfMiniLm);

  /** As far as the last hidden states, for DJL's translators. */
  static final TorchScript MINILM_STATES =
      new TorchScript("minilm-states-torchscript.zip", TorchScript::namesOfMiniLm);

  static final TorchScript T5 = new TorchScript("t5-torchscript.zip", RandomT5::names);

  /** Of a model that is trained. */
  static TorchScript training(TrainingModel model) {
    return new TorchScript("training-%s-torchscript.zip".formatted(model.id()), model::names);
  }

  /** DJL's trainer of these programs. */
  static DjlTraining trainer() {
    return new DjlTraining(
        "PyTorch",
        model -> {
          try {
            return training(model).write(model.directory(TrainingCase.FOLDER));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** The file in the model's directory, written on the first call. */
  Path write(Path directory) throws IOException {
    Path file = directory.resolve("model.pt");
    if (Files.exists(file)) {
      return file;
    }
    Path part = Files.createTempFile(directory, "model", ".part");
    try (TensorFile weights = TensorFile.open(directory);
        OutputStream stream = Files.newOutputStream(part);
        ZipOutputStream out = new ZipOutputStream(stream)) {
      Map<String, byte[]> program = entries();
      JsonNode storages = new ObjectMapper().readTree(program.remove("storages.json"));
      for (Map.Entry<String, byte[]> entry : program.entrySet()) {
        put(out, entry.getKey(), entry.getValue());
      }
      for (Map.Entry<String, JsonNode> storage : storages.properties()) {
        put(out, "model/data/" + storage.getKey(), bytes(weights, storage.getValue().asText()));
      }
    }
    Files.move(part, file);
    return file;
  }

  private Map<String, byte[]> entries() throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (InputStream resource = TorchScript.class.getResourceAsStream(program);
        ZipInputStream zip = new ZipInputStream(resource)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        entries.put(entry.getName(), zip.readAllBytes());
      }
    }
    return entries;
  }

  /** PyTorch maps files, so entries are stored as they are. */
  private static void put(ZipOutputStream out, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    entry.setCrc(crc.getValue());
    out.putNextEntry(entry);
    out.write(bytes);
    out.closeEntry();
  }

  private byte[] bytes(TensorFile weights, String parameter) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String name : names.apply(parameter)) {
      bytes.write(weights.get(name).data().toArray(ValueLayout.JAVA_BYTE));
    }
    return bytes.toByteArray();
  }

  /** Query, key and value are one parameter. */
  private static String[] namesOfMiniLm(String parameter) {
    String[] parts = parameter.split("\\.");
    String kind = parts[parts.length - 1];
    if (!parts[0].equals("layers")) {
      String name =
          switch (parts[0]) {
            case "word" -> "word_embeddings";
            case "position" -> "position_embeddings";
            case "segment" -> "token_type_embeddings";
            default -> "LayerNorm";
          };
      return new String[] {"embeddings." + name + "." + kind};
    }
    String layer = "encoder.layer." + parts[1] + ".";
    return switch (parts[2]) {
      case "qkv" ->
          new String[] {
            layer + "attention.self.query." + kind,
            layer + "attention.self.key." + kind,
            layer + "attention.self.value." + kind
          };
      case "dense" -> new String[] {layer + "attention.output.dense." + kind};
      case "norm1" -> new String[] {layer + "attention.output.LayerNorm." + kind};
      case "up" -> new String[] {layer + "intermediate.dense." + kind};
      case "down" -> new String[] {layer + "output.dense." + kind};
      default -> new String[] {layer + "output.LayerNorm." + kind};
    };
  }
}
