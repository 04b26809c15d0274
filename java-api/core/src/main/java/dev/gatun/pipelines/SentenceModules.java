package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.files.Warnings;
import dev.gatun.pipelines.SentenceModule.Feature;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What {@code modules.json} lists, in its order: a transformer, and what comes behind it.
 *
 * @param directory of the model
 * @param transformer the directory of the transformer's files
 * @param later the other modules
 */
record SentenceModules(Path directory, Path transformer, List<Entry> later) {
  private static final Set<String> KEYS = Set.of("idx", "name", "path", "type");

  /** As sentence-transformers calls the folders of modules, such as 1_Pooling. */
  private static final Pattern FOLDER = Pattern.compile("[0-9]+_[A-Z][A-Za-z]*");

  /**
   * A module of the file.
   *
   * @param kind the last part of its type
   * @param path its directory
   */
  record Entry(String kind, Path path) {}

  /** Reads the file; null where there is none, and then names the modules' folders in a warning. */
  static SentenceModules read(Path directory) throws IOException {
    Path file = directory.resolve("modules.json");
    if (!Files.exists(file)) {
      warnOfFolders(directory);
      return null;
    }
    JsonNode root = TextFile.json(file, IllegalArgumentException::new);
    if (!root.isArray() || root.isEmpty()) {
      throw new IllegalArgumentException(file + ": expected a list of modules");
    }
    List<Entry> entries = new ArrayList<>();
    for (JsonNode module : root) {
      entries.add(entry(file, directory, module, entries.size()));
    }
    Entry first = entries.getFirst();
    if (!first.kind.equals("Transformer")) {
      throw new IllegalArgumentException(
          "%s: the first module is %s, expected Transformer: no other makes vectors of texts here"
              .formatted(file, first.kind));
    }
    return new SentenceModules(directory, first.path, entries.subList(1, entries.size()));
  }

  /** Without the file sentence-transformers does not look into them either. */
  private static void warnOfFolders(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      files
          .filter(f -> FOLDER.matcher(f.getFileName().toString()).matches())
          .filter(Files::isDirectory)
          .sorted()
          .forEach(
              f ->
                  Warnings.ignored(
                      f + " is not read: there is no modules.json that lists it as a module"));
    }
  }

  private static Entry entry(Path file, Path directory, JsonNode module, int index) {
    JsonNode type = module.path("type");
    JsonNode path = module.path("path");
    if (!type.isTextual() || !path.isTextual()) {
      throw new IllegalArgumentException(
          "%s: [%d] is %s, expected an object with 'type' and 'path'"
              .formatted(file, index, module));
    }
    module
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!KEYS.contains(key)) {
                Warnings.ignored("%s: [%d].%s is not read".formatted(file, index, key));
              }
            });
    String name = type.textValue();
    String kind = name.substring(name.lastIndexOf('.') + 1);
    if (!name.startsWith("sentence_transformers.")) {
      throw new IllegalArgumentException(
          "%s: [%d].type is %s, code of the model's own; modules of sentence_transformers are read: %s"
              .formatted(file, index, name, SentenceModuleReader.KINDS));
    }
    Path own = directory.resolve(path.textValue()).normalize();
    if (!own.startsWith(directory.normalize())) {
      throw new IllegalArgumentException(
          "%s: [%d].path is %s, expected a folder of the model".formatted(file, index, path));
    }
    return new Entry(kind, path.textValue().isEmpty() ? directory : own);
  }

  /**
   * Loads the modules behind the transformer.
   *
   * @param hidden the features of the transformer's tokens
   */
  List<SentenceModule> load(Device device, int hidden) throws IOException {
    Path file = directory.resolve("modules.json");
    List<SentenceModule> modules = new ArrayList<>();
    int[] features = new int[Feature.values().length];
    features[Feature.TOKEN_EMBEDDINGS.ordinal()] = hidden;
    try {
      for (Entry entry : later) {
        SentenceModuleReader reader = new SentenceModuleReader(file, entry, device);
        SentenceModule module = reader.read(features);
        if (module != null) {
          modules.add(module);
          features[module.to().ordinal()] = module.features(features[module.from().ordinal()]);
        }
      }
      if (features[Feature.SENTENCE_EMBEDDING.ordinal()] == 0) {
        throw new IllegalArgumentException(
            file + ": no module makes a vector of a text's tokens, expected Pooling among them");
      }
      return modules;
    } catch (IOException | RuntimeException e) {
      modules.forEach(SentenceModule::close);
      throw e;
    }
  }
}
