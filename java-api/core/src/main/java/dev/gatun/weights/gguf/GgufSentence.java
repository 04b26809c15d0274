package dev.gatun.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufArchitecture.Move;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Says how sentence-transformers' files make the vector of a text in the words of GGUF: {@code
 * pooling_type}, and of EmbeddingGemma two linear layers behind it. Readers of GGUF have vectors of
 * length one at the end.
 */
final class GgufSentence {
  private static final String WITH_DENSE = "gemma-embedding";

  // In the order of their numbers, from 1.
  private static final List<String> MODES = List.of("mean", "cls", "lasttoken");

  private static final List<String> DENSE = List.of("dense_2", "dense_3");

  private final Path directory;
  private final String architecture;
  private final GgufKeys keys;
  private final List<GgufTensor> tensors = new ArrayList<>();

  private GgufSentence(Path directory, String architecture, GgufKeys keys) {
    this.directory = directory;
    this.architecture = architecture;
    this.keys = keys;
  }

  /**
   * Says it, where there are such files.
   *
   * @param config of the transformer
   * @param keys get what is said
   * @return the weights of the layers
   * @throws WeightsException naming what GGUF has no words for
   */
  static List<GgufTensor> write(Path directory, String architecture, JsonNode config, GgufKeys keys)
      throws IOException {
    GgufSentence made = new GgufSentence(directory, architecture, keys);
    Path list = directory.resolve("modules.json");
    Path pooling = directory.resolve("1_Pooling");
    if (Files.exists(list)) {
      made.modules(list);
    } else if (Files.exists(pooling.resolve("config.json"))) {
      made.pooling(pooling);
    } else if (architecture.equals(WITH_DENSE)) {
      throw new WeightsException(
          "%s: is missing, expected the modules of a sentence model: GGUF's %s, which 'use_bidirectional_attention' %s means, has to say how a text's vector is made"
              .formatted(list, architecture, config.path("use_bidirectional_attention")));
    }
    return made.tensors;
  }

  private void modules(Path list) throws IOException {
    List<Path> dense = new ArrayList<>();
    boolean pooled = false;
    boolean normed = false;
    for (JsonNode module : TextFile.json(list, WeightsException::new)) {
      String type = module.path("type").asText();
      String kind = type.substring(type.lastIndexOf('.') + 1);
      Path own = directory.resolve(module.path("path").asText()).normalize();
      boolean fits =
          switch (kind) {
            case "Transformer", "Dropout" -> true;
            case "Pooling" -> !pooled && !normed;
            case "Dense" -> architecture.equals(WITH_DENSE) && pooled && !normed;
            case "Normalize" -> pooled;
            default -> false;
          };
      if (!fits || !own.startsWith(directory.normalize())) {
        throw new WeightsException(
            "%s: has the module %s at this place, of which GGUF's %s has no words; expected Transformer, Pooling%s and Normalize"
                .formatted(
                    list, module, architecture, architecture.equals(WITH_DENSE) ? ", Dense" : ""));
      }
      switch (kind) {
        case "Pooling" -> {
          pooling(own);
          pooled = true;
        }
        case "Dense" -> dense.add(own);
        case "Normalize" -> normed = true;
        default -> {
          // The rest of the file, or of training.
        }
      }
    }
    if (!pooled) {
      throw new WeightsException(list + ": has no module Pooling, expected one");
    }
    if (!dense.isEmpty() && dense.size() != DENSE.size()) {
      throw new WeightsException(
          "%s: has %d modules Dense, expected none or two, for which GGUF's %s has names"
              .formatted(list, dense.size(), architecture));
    }
    for (int i = 0; i < dense.size(); i++) {
      dense(dense.get(i), DENSE.get(i));
    }
  }

  private void pooling(Path folder) throws IOException {
    Path where = folder.resolve("config.json");
    JsonNode pooling = TextFile.json(where, WeightsException::new);
    List<String> on = new ArrayList<>();
    JsonNode named = pooling.path("pooling_mode");
    if (named.isArray()) {
      named.forEach(mode -> on.add(mode.asText()));
    } else if (named.isTextual()) {
      on.add(named.asText());
    } else {
      pooling
          .properties()
          .forEach(
              flag -> {
                if (flag.getKey().startsWith("pooling_mode_") && flag.getValue().asBoolean()) {
                  on.add(flag.getKey().substring("pooling_mode_".length()));
                }
              });
      on.replaceAll(mode -> mode.replaceFirst("(mean|cls)_tokens?$", "$1"));
      if (on.isEmpty()) {
        on.add(MODES.getFirst());
      }
    }
    if (on.size() != 1 || !MODES.contains(on.getFirst())) {
      throw new WeightsException(
          "%s: pooling of %s, expected one of %s, which GGUF has numbers for"
              .formatted(where, on, MODES));
    }
    if (!pooling.path("include_prompt").asBoolean(true)) {
      throw new WeightsException(
          "%s: 'include_prompt' is false, expected true: GGUF has no words for prompts"
              .formatted(where));
    }
    keys.uint32(architecture + ".pooling_type", 1 + MODES.indexOf(on.getFirst()));
  }

  /** A linear layer; its numbers stay when its file is closed. */
  private void dense(Path folder, String name) throws IOException {
    Path where = folder.resolve("config.json");
    JsonNode config = TextFile.json(where, WeightsException::new);
    String activation =
        config.path("activation_function").asText("torch.nn.modules.activation.Tanh");
    if (!activation.endsWith(".Identity")
        || config.path("bias").asBoolean(true)
        || config.path("use_residual").asBoolean(false)
        || !config.path("module_input_name").asText("sentence_embedding").startsWith("sentence")) {
      throw new WeightsException(
          "%s: is %s, expected a layer of texts with the activation Identity, 'bias' false and no 'use_residual', which GGUF's %s means"
              .formatted(where, config, architecture));
    }
    try (TensorFile file = TensorFile.open(folder)) {
      Set<String> names = file.names();
      if (!names.equals(Set.of("linear.weight"))) {
        throw new WeightsException(
            "%s: has the tensors %s, expected linear.weight".formatted(folder, names));
      }
      TensorFile.Entry weight = file.get("linear.weight");
      long[] shape = weight.shape();
      if (shape.length != 2) {
        throw new WeightsException("%s: expected two axes".formatted(weight));
      }
      MemorySegment data = Arena.ofAuto().allocate(weight.data().byteSize(), 64);
      data.copyFrom(weight.data());
      TensorFile.Entry kept =
          new TensorFile.Entry(
              weight.name(), weight.dtype(), shape, data.asReadOnly(), weight.source());
      keys.uint32(architecture + "." + name + "_feat_in", shape[1]);
      keys.uint32(architecture + "." + name + "_feat_out", shape[0]);
      tensors.add(
          new GgufTensor(
              name + ".weight",
              shape,
              weight.dtype().name(),
              new HfRows(List.of(kept), Move.NONE, null, shape[0], shape[1])));
    }
  }
}
