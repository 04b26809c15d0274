package dev.gatun.models;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.nn.Parameter;
import dev.gatun.weights.ParameterFile;
import dev.gatun.weights.ParameterLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Writes models as Hugging Face directories. */
final class ModelWriter {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** What lies beside a configuration and belongs to the model. */
  private static final List<String> BESIDE =
      List.of(
          "added_tokens.json",
          "chat_template.jinja",
          "chat_template.json",
          "generation_config.json",
          "merges.txt",
          "sentencepiece.bpe.model",
          "sentencepiece.model",
          "source.spm",
          "special_tokens_map.json",
          "spiece.model",
          "spm.model",
          "target.spm",
          "tokenizer.json",
          "tokenizer.model",
          "tokenizer_config.json",
          "vocab.json",
          "vocab.txt");

  private static final String WEIGHTS = "model.safetensors";

  private ModelWriter() {}

  static void save(
      Path directory,
      Config config,
      String architecture,
      List<Parameter> parameters,
      List<ParameterLoader.Constant> constants)
      throws IOException {
    if (parameters.isEmpty()) {
      throw new IllegalStateException(
          "save: the model of %s was not made for training, and has no parameters to write"
              .formatted(config.file()));
    }
    Files.createDirectories(directory);
    Path from = config.file().toAbsolutePath().getParent();
    for (String name : BESIDE) {
      Path file = from.resolve(name);
      Path to = directory.resolve(name);
      if (Files.isRegularFile(file) && !(Files.exists(to) && Files.isSameFile(file, to))) {
        Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    write(directory.resolve("config.json"), configuration(config, architecture));
    Path half = directory.resolve(WEIGHTS + ".half");
    try {
      Files.deleteIfExists(half);
      ParameterFile.write(half, parameters, constants);
      Files.move(
          half,
          directory.resolve(WEIGHTS),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(half);
    }
  }

  private static String configuration(Config config, String architecture) throws IOException {
    ObjectNode json = config.json();
    json.putArray("architectures").add(architecture);
    if (architecture.endsWith("ForQuestionAnswering") && config.labelCount() != 2) {
      // The classes of transformers have as many scores as labels, and need two.
      json.remove(List.of("id2label", "label2id", "num_labels"));
    }
    // By it transformers chooses what it loads the weights as.
    json.remove("torch_dtype");
    json.put("dtype", "float32");
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
    printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
    return MAPPER.writer(printer).writeValueAsString(json) + "\n";
  }

  /** Writes a text beside its place and moves it there. */
  private static void write(Path file, String text) throws IOException {
    Path half = file.resolveSibling(file.getFileName() + ".half");
    try {
      Files.writeString(half, text);
      Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(half);
    }
  }
}
