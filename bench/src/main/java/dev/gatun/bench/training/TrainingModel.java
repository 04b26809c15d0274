package dev.gatun.bench.training;

import dev.gatun.models.AutoModel;
import dev.gatun.models.Head;
import dev.gatun.models.Model;
import dev.gatun.models.TrainingSettings;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.stream.Stream;

/** The models that the suite {@code training} trains. Dropout is 0 in all of them. */
public enum TrainingModel {
  /** all-MiniLM-L6-v2's layers, and two classes of a text. */
  MINILM(Head.SEQUENCE_CLASSIFICATION, 6, 384),
  /** The same, and hidden tokens. */
  MINILM_MLM(Head.MASKED_LM, 6, 384),
  /** bert-base-uncased's layers, and two classes of a text. */
  BERT_BASE(Head.SEQUENCE_CLASSIFICATION, 12, 768),
  /** GPT-2's smallest. */
  GPT2(null, 12, 768);

  private static final int HEADS = 12;
  private static final String BERT =
      """
      {"model_type": "bert", "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
       "intermediate_size": %d, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
       "vocab_size": %d, "max_position_embeddings": 512, "type_vocab_size": 2, "num_labels": 2,
       "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
      """;
  private static final String GPT2_CONFIG =
      """
      {"model_type": "gpt2", "n_embd": %d, "n_layer": %d, "n_head": %d, "n_positions": 1024,
       "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "vocab_size": %d,
       "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
      """;

  private final Head head;
  private final int layers;
  private final int hidden;

  TrainingModel(Head head, int layers, int hidden) {
    this.head = head;
    this.layers = layers;
    this.hidden = hidden;
  }

  /** By its name in cases. */
  static TrainingModel of(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  /** Its name in cases. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  boolean isDecoder() {
    return head == null;
  }

  boolean hidesTokens() {
    return head == Head.MASKED_LM;
  }

  int vocabulary() {
    return isDecoder() ? 50257 : 30522;
  }

  private String config() {
    return isDecoder()
        ? GPT2_CONFIG.formatted(hidden, layers, HEADS, vocabulary())
        : BERT.formatted(hidden, layers, HEADS, 4 * hidden, vocabulary());
  }

  /** Its Hugging Face directory beneath a folder; written on the first call. */
  public Path directory(Path folder) throws IOException {
    Path directory = folder.resolve(id());
    if (!Files.exists(directory)) {
      Path part = Files.createTempDirectory(Files.createDirectories(folder), id());
      Path config = part.resolve("config.json");
      Files.writeString(config, config());
      try (Model model = load(config, TrainingSettings.DEFAULT)) {
        model.save(part);
      }
      Files.move(part, directory, StandardCopyOption.ATOMIC_MOVE);
    }
    return directory;
  }

  /**
   * It with its parameters.
   *
   * @param source its directory, or a configuration for a new one
   */
  Model load(Path source, TrainingSettings settings) throws IOException {
    return isDecoder()
        ? AutoModel.causalLmForTraining(source, Device.cpu(), settings)
        : AutoModel.forTraining(source, head, Device.cpu(), settings);
  }

  /**
   * The weights that a parameter of the program of bench/make/training_torchscript.py is made of.
   */
  public String[] names(String parameter) {
    String name = parameter.replace("__", ".");
    if (isDecoder()) {
      return new String[] {"transformer." + name};
    }
    name =
        name.replace("bert.layer.", "bert.encoder.layer.")
            .replaceFirst("^pooler.", "bert.pooler.dense.");
    name = name.replaceFirst("^(transform\\.|bias$)", "cls.predictions.$1");
    String all = name;
    return all.contains(".qkv.")
        ? Stream.of("query", "key", "value")
            .map(each -> all.replace(".qkv.", "." + each + "."))
            .toArray(String[]::new)
        : new String[] {all};
  }

  /** Multiplications and additions of a step over sequences of these lengths. */
  double operations(int... lengths) {
    double weights = layers * 12.0 * hidden * hidden;
    double forward = 0;
    for (int tokens : lengths) {
      // What a query of a decoder sees is half of the keys.
      double pairs = (double) tokens * tokens / (isDecoder() ? 2 : 1);
      double output = isDecoder() || hidesTokens() ? (double) vocabulary() * hidden : 0;
      forward += 2 * (weights + output) * tokens + 4.0 * layers * hidden * pairs;
    }
    return 3 * forward;
  }
}
