package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TextGenerator;
import dev.gatun.text.chat.ChatTemplate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Small models of the goldens, with tokenizers whose words are numbers: w0, w1 and so on. */
final class TestModels {
  static final Path GOLDENS = Path.of("../../test/goldens");
  static final ObjectMapper JSON = new ObjectMapper();

  /** Each message begins with a token of its role, and the answer with w96. */
  static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %} {{ {'system': 'w91', 'user': 'w92', 'assistant':"
          + " 'w93', 'tool': 'w94'}[m.role] }} {{ m.content }}{% endfor %}{% if"
          + " add_generation_prompt %} w96 {% endif %}";

  private TestModels() {}

  /**
   * The golden LLaMA, which chats.
   *
   * @param context the most tokens of a text; its weights do not care
   */
  static Path llama(Path folder, int context) {
    return made(
        folder,
        () -> {
          copy(GOLDENS.resolve("decoders/llama"), folder);
          Path file = folder.resolve("config.json");
          ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
          config.put("max_position_embeddings", context);
          Files.writeString(file, config.toString());
          tokenizer(folder, config.get("vocab_size").intValue(), Set.of(2, 91, 92, 93, 94, 95, 96));
          Files.writeString(
              folder.resolve("tokenizer_config.json"),
              "{\"bos_token\": \"w95\", \"eos_token\": \"w2\"}");
          Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
        });
  }

  /** The same, with no token that ends a text: it writes for minutes where it is let. */
  static Path endless(Path folder) {
    llama(folder, 100_000);
    return made(
        folder,
        () -> {
          for (String name : List.of("config.json", "tokenizer_config.json")) {
            Path file = folder.resolve(name);
            ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
            config.remove(List.of("eos_token_id", "eos_token"));
            Files.writeString(file, config.toString());
          }
          Files.delete(folder.resolve("generation_config.json"));
        });
  }

  /** A LLaMA whose tokens are bytes and pieces, so that its texts can be held to formats. */
  static ServedModel ofBytes(String name) throws IOException {
    return ServedModel.generative(
        name,
        TextGenerator.load(GOLDENS.resolve("gguf-llama/model-q4_k.gguf")),
        ChatTemplate.of("{% if tools %}T{% endif %}{{ messages[0].content }}", Map.of()),
        8);
  }

  /** A cross-encoder. */
  static Path reranker(Path folder) {
    return made(
        folder,
        () -> {
          copy(GOLDENS.resolve("bert-regression"), folder);
          tokenizer(folder, 101, Set.of(0));
        });
  }

  /** A model of sentence-transformers, and what it gives. */
  static Path embedder(Path folder) {
    return made(
        folder,
        () -> {
          copy(GOLDENS.resolve("sentence-models/base"), folder);
          copy(GOLDENS.resolve("sentence-models/pooling-mean"), folder);
        });
  }

  /**
   * Has the tokens that a seed draws after a prompt spell some pieces and the end of the text; the
   * tokenizer puts a space between them.
   *
   * @param prompt ids below 7 and of the template
   * @return the seed
   */
  static int saying(Path folder, int[] prompt, List<String> pieces) throws IOException {
    int seed = 0;
    int[] drawn;
    try (TextGenerator generator = TextGenerator.load(folder)) {
      do {
        seed++;
        drawn =
            generator
                .generate(
                    prompt,
                    GenerationConfig.builder()
                        .doSample(true)
                        .topK(0)
                        .seed(seed)
                        .maxNewTokens(pieces.size() + 1)
                        .build())
                .completions()
                .getFirst()
                .ids();
      } while (Arrays.stream(drawn).filter(id -> id < 91 && id > 6).distinct().count()
          <= pieces.size());
    }
    Path file = folder.resolve("tokenizer.json");
    String tokenizer = Files.readString(file);
    for (int i = 0; i < pieces.size(); i++) {
      tokenizer =
          tokenizer.replace("\"w" + drawn[i] + "\":", JSON.writeValueAsString(pieces.get(i)) + ":");
    }
    Files.writeString(file, tokenizer);
    Files.writeString(
        folder.resolve("generation_config.json"),
        "{\"eos_token_id\": %d}".formatted(drawn[pieces.size()]));
    return seed;
  }

  private interface Making {
    void make() throws IOException;
  }

  private static Path made(Path folder, Making making) {
    try {
      Files.createDirectories(folder);
      making.make();
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void tokenizer(Path folder, int vocabulary, Set<Integer> special)
      throws IOException {
    ObjectNode tokenizer = JSON.createObjectNode();
    ArrayNode added = tokenizer.putArray("added_tokens");
    special.stream()
        .sorted()
        .forEach(
            id ->
                added
                    .addObject()
                    .put("id", id)
                    .put("content", "w" + id)
                    .put("single_word", true)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true));
    tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    ObjectNode vocab = model.putObject("vocab");
    IntStream.range(0, vocabulary).forEach(id -> vocab.put("w" + id, id));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
  }

  static String words(int... ids) {
    return Arrays.stream(ids).mapToObj(id -> "w" + id).collect(Collectors.joining(" "));
  }

  /** The greedy text of the golden LLaMA. */
  record Greedy(int[] prompt, int[] output) {
    static Greedy read() {
      try {
        JsonNode first =
            JSON.readTree(GOLDENS.resolve("decoders/llama/case.json").toFile())
                .get("generations")
                .get(0);
        int[] prompt = JSON.convertValue(first.get("prompt").get(0), int[].class);
        int[] all = JSON.convertValue(first.get("output").get(0), int[].class);
        return new Greedy(prompt, Arrays.copyOfRange(all, prompt.length, all.length));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static List<Integer> list(int... ids) {
    return Arrays.stream(ids).boxed().toList();
  }
}
