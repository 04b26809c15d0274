package dev.gatun.pipelines;

import dev.gatun.files.Warnings;
import dev.gatun.models.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What sentence-transformers keeps beside a transformer's own files.
 *
 * @param maxLength {@code max_seq_length}, the most tokens of a text; null where nothing is said
 * @param lowerCase {@code do_lower_case}, whether texts are made lower case first
 */
record TransformerSettings(Integer maxLength, boolean lowerCase) {
  static final TransformerSettings NONE = new TransformerSettings(null, false);

  /** The names that the file has had, the first that is there counts. */
  private static final List<String> NAMES =
      List.of(
          "sentence_bert_config.json",
          "sentence_roberta_config.json",
          "sentence_distilbert_config.json",
          "sentence_camembert_config.json",
          "sentence_albert_config.json",
          "sentence_xlm-roberta_config.json",
          "sentence_xlnet_config.json");

  /** Arguments of other libraries' constructors. */
  private static final List<String> ARGUMENTS =
      List.of(
          "model_args",
          "model_kwargs",
          "tokenizer_args",
          "processor_kwargs",
          "config_args",
          "config_kwargs",
          "processing_kwargs",
          "query_expansion");

  static TransformerSettings read(Path directory) throws IOException {
    List<Path> files = NAMES.stream().map(directory::resolve).filter(Files::exists).toList();
    if (files.isEmpty()) {
      return NONE;
    }
    for (Path other : files.subList(1, files.size())) {
      Warnings.ignored("%s: not read: %s is".formatted(other, files.getFirst().getFileName()));
    }
    Config file = Config.of(files.getFirst());
    requireText(file);
    for (String key : ARGUMENTS) {
      if (file.has(key) && !file.isEmptyObject(key)) {
        Warnings.ignored("%s: '%s' is not read".formatted(file.file(), key));
      }
    }
    for (String key : List.of("query_length", "document_length", "tokenizer_name_or_path")) {
      if (file.has(key)) {
        Warnings.ignored("%s: '%s' is not read".formatted(file.file(), key));
      }
    }
    file.warnOfOthers(
        List.of(
            "max_seq_length",
            "do_lower_case",
            "transformer_task",
            "modality_config",
            "module_output_name",
            "unpad_inputs",
            "query_length",
            "document_length",
            "tokenizer_name_or_path"),
        ARGUMENTS);
    Integer length = file.has("max_seq_length") ? file.positive("max_seq_length") : null;
    return new TransformerSettings(length, file.flag("do_lower_case", false));
  }

  /** Refuses another input than text and another output than the last hidden states. */
  private static void requireText(Config file) {
    file.require("transformer_task", "feature-extraction");
    file.require("module_output_name", "token_embeddings");
    if (file.has("modality_config")) {
      Config modalities = file.object("modality_config");
      Config text = modalities.object("text");
      text.require("method", "forward");
      text.require("method_output_name", "last_hidden_state");
      modalities.warnOfOthers(List.of("text"));
    }
  }
}
