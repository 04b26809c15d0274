package dev.gatun.pipelines;

import dev.gatun.models.Config;
import dev.gatun.text.Languages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The languages of a translation, checked with what the model's files say.
 *
 * @param source the language of texts; null where nobody said
 * @param target the language to write; null where nobody said
 * @param ofTokens whether the tokenizer's languages tell them to the model
 * @param task the key of {@code task_specific_params} that they make
 */
record TranslationPair(String source, String target, boolean ofTokens, String task) {
  private static final int SOME = 8;
  private static final Pattern TASK = Pattern.compile("translation_.+_to_.+");

  /**
   * Checks them.
   *
   * @throws IllegalArgumentException where one is missing, or none of the model's
   */
  static TranslationPair of(Seq2SeqText parts, String source, String target) throws IOException {
    String task = "translation_%s_to_%s".formatted(source, target);
    Languages languages = parts.tokenizer().languages();
    if (!languages.codes().isEmpty()) {
      return ofTokens(parts.directory(), languages, source, target, task);
    }
    List<String> tasks = parts.tasks().stream().filter(t -> TASK.matcher(t).matches()).toList();
    if (source == null && target == null) {
      if (tasks.size() > 1) {
        throw wrong(parts.directory(), "the languages are missing", tasks);
      }
      return new TranslationPair(
          null, null, false, tasks.isEmpty() ? "translation" : tasks.getFirst());
    }
    if (!tasks.isEmpty()) {
      if (!tasks.contains(task)) {
        throw wrong(
            parts.directory(), "no translation from '%s' to '%s'".formatted(source, target), tasks);
      }
      return new TranslationPair(source, target, false, task);
    }
    onePair(parts.directory(), source, target);
    return new TranslationPair(source, target, false, task);
  }

  private static TranslationPair ofTokens(
      Path directory, Languages languages, String source, String target, String task)
      throws IOException {
    try {
      if (languages.ofSource() && source == null) {
        throw new IllegalArgumentException(
            "the source language is missing; the model's %d: %s, ..."
                .formatted(
                    languages.codes().size(),
                    languages.codes().stream().limit(SOME).collect(Collectors.joining(", "))));
      }
      languages.source(new long[0], source, target);
      languages.forcedBosTokenId(target);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(directory + ": " + e.getMessage(), e);
    }
    if (!languages.ofSource()) {
      require(directory, "source", source);
    }
    return new TranslationPair(source, target, true, task);
  }

  /** Of a model for one pair, whose tokenizer's configuration may name it. */
  private static void onePair(Path directory, String source, String target) throws IOException {
    require(directory, "source", source);
    require(directory, "target", target);
  }

  private static void require(Path directory, String side, String language) throws IOException {
    if (language == null) {
      return;
    }
    Path file = directory.resolve("tokenizer_config.json");
    String own = Files.exists(file) ? Config.of(file).text(side + "_lang", null) : null;
    if (own == null) {
      throw new IllegalArgumentException(
          "%s: the %s language is '%s', but its files name none: leave it out"
              .formatted(directory, side, language));
    }
    if (!own.equals(language)) {
      throw new IllegalArgumentException(
          "%s: the %s language is '%s', but the model's is '%s'"
              .formatted(directory, side, language, own));
    }
  }

  private static IllegalArgumentException wrong(Path directory, String what, List<String> tasks) {
    return new IllegalArgumentException(
        "%s: %s; config.json has %s".formatted(directory, what, String.join(", ", tasks)));
  }
}
