package dev.gatun.text.chat;

import dev.gatun.text.TokenizerException;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Says a model directory's chat templates in the keys of GGUF. */
public final class GgufTemplates {
  private static final String KEY = "tokenizer.chat_template";

  private GgufTemplates() {}

  /**
   * {@return the keys; none where there is no template}
   *
   * @param directory of the model, with the files that {@link ChatTemplate#load} reads
   * @throws IOException when a file cannot be read
   * @throws TokenizerException when a file is damaged
   */
  public static GgufKeys of(Path directory) throws IOException {
    GgufKeys keys = new GgufKeys();
    List<String> names = new ArrayList<>();
    TemplateFiles.ofDirectory(directory)
        .templates()
        .forEach(
            (name, template) -> {
              if (name.equals(TemplateFiles.DEFAULT)) {
                keys.text(KEY, template);
              } else {
                keys.text(KEY + "." + name, template);
                names.add(name);
              }
            });
    return names.isEmpty() ? keys : keys.texts(KEY + "s", names);
  }

  /**
   * Writes the templates of a GGUF file as {@code chat_template.jinja} and {@code
   * additional_chat_templates/NAME.jinja}; nothing where it has none.
   *
   * @param gguf the file, the first one where it is in several
   * @param directory a folder that is there; files of these names are replaced
   * @throws IOException when the file cannot be read, or the others not written
   * @throws TokenizerException when a template's name is no name of a file
   * @throws dev.gatun.weights.WeightsException when the file is damaged, or lacks a template that
   *     it names
   */
  public static void write(Path gguf, Path directory) throws IOException {
    Map<String, String> templates = GgufFile.readMetadata(gguf, TemplateFiles::ofGguf).templates();
    for (Map.Entry<String, String> template : templates.entrySet()) {
      Path file = directory.resolve("chat_template.jinja");
      if (!template.getKey().equals(TemplateFiles.DEFAULT)) {
        Path folder = Files.createDirectories(directory.resolve("additional_chat_templates"));
        file = folder.resolve(template.getKey() + ".jinja").normalize();
        if (!folder.equals(file.getParent())) {
          throw new TokenizerException(
              "%s: a chat template is called '%s', which is no name of a file"
                  .formatted(gguf, template.getKey()));
        }
      }
      Files.writeString(file, template.getValue());
    }
  }
}
