package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.files.Json;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Writes the tokenizer of a GGUF file as the files that Hugging Face's libraries read. */
public final class GgufTokenizerFiles {
  private GgufTokenizerFiles() {}

  /**
   * Writes {@code tokenizer.json} and {@code tokenizer_config.json}; control tokens are added ones,
   * which are special.
   *
   * @param gguf the file, the first one where it is in several
   * @param directory a folder that is there; files of these names are replaced
   * @return true; false where the file has no tokenizer, and nothing is written
   * @throws IOException when the file cannot be read, or the others not written
   * @throws TokenizerException when merges are not of its tokens
   * @throws dev.gatun.weights.WeightsException when the file is damaged, or its tokenizer of a kind
   *     that is not known
   */
  public static boolean write(Path gguf, Path directory) throws IOException {
    if (GgufFile.readMetadata(gguf, keys -> keys.texts("tokenizer.ggml.tokens").isEmpty())) {
      return false;
    }
    GgufTokenizer.Made made = GgufFile.readMetadata(gguf, GgufTokenizer::of);
    ObjectNode root = made.root().deepCopy();
    Map<Integer, String> tokens = tokens(root);
    ArrayNode added = root.withArray("added_tokens");
    for (int id : made.control()) {
      added
          .addObject()
          .put("id", id)
          .put("content", tokens.get(id))
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    ObjectNode config = Json.object();
    SpecialTokens special = made.special();
    put(config, "bos_token", special.bos(), tokens);
    put(config, "eos_token", special.eos(), tokens);
    put(config, "unk_token", special.unk(), tokens);
    put(config, "pad_token", special.pad(), tokens);
    put(config, "cls_token", special.cls(), tokens);
    put(config, "sep_token", special.sep(), tokens);
    put(config, "mask_token", special.mask(), tokens);
    Files.write(directory.resolve("tokenizer.json"), Json.bytes(root));
    Files.write(directory.resolve("tokenizer_config.json"), Json.bytes(config));
    return true;
  }

  private static Map<Integer, String> tokens(ObjectNode root) {
    Map<Integer, String> tokens = new TreeMap<>();
    if (root.path("model").path("vocab").isArray()) {
      int id = 0;
      for (JsonNode piece : root.path("model").path("vocab")) {
        tokens.put(id++, piece.path(0).asText());
      }
    } else {
      for (Map.Entry<String, JsonNode> token : root.path("model").path("vocab").properties()) {
        tokens.put(token.getValue().intValue(), token.getKey());
      }
    }
    root.path("added_tokens")
        .forEach(t -> tokens.put(t.path("id").intValue(), t.path("content").asText()));
    return tokens;
  }

  private static void put(
      ObjectNode config, String role, OptionalInt id, Map<Integer, String> tokens) {
    id.ifPresent(i -> config.put(role, tokens.get(i)));
  }
}
