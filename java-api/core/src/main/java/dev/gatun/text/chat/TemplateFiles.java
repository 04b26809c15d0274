package dev.gatun.text.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.Json;
import dev.gatun.files.TextFile;
import dev.gatun.text.TokenizerException;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a model's files say of its chats.
 *
 * @param source the file or directory
 * @param templates the templates' sources by their names
 * @param tokens the spelling of each token with a role, such as {@code bos_token}
 */
record TemplateFiles(String source, Map<String, String> templates, Map<String, String> tokens) {

  static final String DEFAULT = "default";

  private static final List<String> ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private static final String GGUF_TEMPLATE = "tokenizer.chat_template";

  /** The keys of GGUF files, which spell one of them as they do. */
  private static final Map<String, String> GGUF_ROLES =
      Map.of(
          "bos_token", "bos_token_id",
          "eos_token", "eos_token_id",
          "unk_token", "unknown_token_id",
          "sep_token", "seperator_token_id",
          "pad_token", "padding_token_id",
          "cls_token", "cls_token_id",
          "mask_token", "mask_token_id");

  static TemplateFiles read(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "there is no such file or directory");
    }
    Optional<Path> gguf = GgufFile.find(path);
    TemplateFiles files =
        gguf.isPresent()
            ? GgufFile.readMetadata(gguf.get(), TemplateFiles::ofGguf)
            : ofDirectory(Files.isDirectory(path) ? path : path.toAbsolutePath().getParent());
    if (files.templates.isEmpty()) {
      throw new TokenizerException(
          path
              + ": no chat template; looked for "
              + (gguf.isPresent()
                  ? "the key " + GGUF_TEMPLATE
                  : "chat_template.jinja, additional_chat_templates/*.jinja, and chat_template in"
                      + " tokenizer_config.json"));
    }
    return files;
  }

  static TemplateFiles ofGguf(GgufMetadata keys) {
    Map<String, String> templates = new LinkedHashMap<>();
    keys.text(GGUF_TEMPLATE).ifPresent(source -> templates.put(DEFAULT, source));
    for (String name : keys.texts(GGUF_TEMPLATE + "s")) {
      String key = GGUF_TEMPLATE + "." + name;
      templates.put(
          name, keys.text(key).orElseThrow(() -> keys.wrong(key, "the template of that name")));
    }
    List<String> spellings = keys.texts("tokenizer.ggml.tokens");
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String role : ROLES) {
      String key = "tokenizer.ggml." + GGUF_ROLES.get(role);
      if (keys.has(key)) {
        int id = keys.integer(key, 0);
        if (id >= spellings.size()) {
          throw keys.wrong(key, "one of %d tokens".formatted(spellings.size()));
        }
        tokens.put(role, spellings.get(id));
      }
    }
    return new TemplateFiles(keys.source(), templates, tokens);
  }

  static TemplateFiles ofDirectory(Path directory) throws IOException {
    JsonNode config = readIfThere(directory.resolve("tokenizer_config.json"));
    JsonNode map = readIfThere(directory.resolve("special_tokens_map.json"));
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String role : ROLES) {
      for (JsonNode each : List.of(map, config)) {
        JsonNode token = each.path(role);
        JsonNode spelling = token.isObject() ? token.path("content") : token;
        if (spelling.isTextual()) {
          tokens.put(role, spelling.textValue());
        }
      }
    }
    Map<String, String> templates = ofFiles(directory);
    if (templates.isEmpty()) {
      templates = ofConfig(directory.resolve("tokenizer_config.json"), config);
    }
    return new TemplateFiles(directory.toString(), templates, tokens);
  }

  private static Map<String, String> ofFiles(Path directory) throws IOException {
    Map<String, String> templates = new TreeMap<>();
    Path main = directory.resolve("chat_template.jinja");
    if (Files.exists(main)) {
      templates.put(DEFAULT, TextFile.read(main, TokenizerException::new));
    }
    Path more = directory.resolve("additional_chat_templates");
    if (Files.isDirectory(more)) {
      try (Stream<Path> all = Files.list(more)) {
        for (Path each : (Iterable<Path>) all::iterator) {
          String name = each.getFileName().toString();
          if (name.endsWith(".jinja")) {
            templates.put(
                name.substring(0, name.length() - ".jinja".length()),
                TextFile.read(each, TokenizerException::new));
          }
        }
      }
    }
    return templates;
  }

  private static Map<String, String> ofConfig(Path file, JsonNode config) {
    JsonNode template = config.path("chat_template");
    Map<String, String> templates = new LinkedHashMap<>();
    if (template.isTextual()) {
      templates.put(DEFAULT, template.textValue());
    } else if (template.isArray()) {
      for (JsonNode each : template) {
        if (!each.path("name").isTextual() || !each.path("template").isTextual()) {
          throw new TokenizerException(
              "%s: chat_template[%d] has no text as its name or template"
                  .formatted(file, templates.size()));
        }
        templates.put(each.path("name").textValue(), each.path("template").textValue());
      }
    } else if (!template.isMissingNode() && !template.isNull()) {
      throw new TokenizerException(
          file + ": chat_template is neither a text nor a list of named ones");
    }
    return templates;
  }

  private static JsonNode readIfThere(Path file) throws IOException {
    return Files.exists(file) ? TextFile.json(file, TokenizerException::new) : Json.object();
  }
}
