package dev.gatun.text.chat;

import dev.gatun.weights.gguf.GgufKeys;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Says a model directory's chat templates in the keys of GGUF. */
public final class GgufTemplates {
  private static final String KEY = "tokenizer.chat_template";

  private GgufTemplates() {}

  /** The keys; none where there is no template. */
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
}
