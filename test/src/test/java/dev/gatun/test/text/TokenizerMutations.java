package dev.gatun.test.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A program: loads damaged tokenizer.json files and uses those that load. A native tokenizer that
 * ends the process leaves the number of the case as the last line, and the file.
 */
final class TokenizerMutations {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String[] VALUES = {
    "-1",
    "0",
    "1",
    "7",
    "4294967296",
    "1.5",
    "null",
    "true",
    "\"\"",
    "\"a\"",
    "[]",
    "{}",
    "\"(\"",
    "{\"Regex\":\"[\"}",
    "{\"String\":\"\"}",
    "\"WordPiece\"",
    "\"BPE\"",
    "\"Unigram\"",
    "[[]]"
  };

  private TokenizerMutations() {}

  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    int times = Integer.parseInt(args[1]);
    long seed = Long.parseLong(args[2]);
    Random random = new Random(seed);
    int refused = 0;
    int loaded = 0;
    for (int i = 0; i < times; i++) {
      JsonNode root = JSON.readTree(Tokenizers.ALL.get(i % Tokenizers.ALL.size()));
      byte[] bytes = i % 4 == 0 ? damaged(root, random) : altered(root, random);
      Files.write(file, bytes);
      System.out.println("seed " + seed + " case " + i);
      try (Tokenizer tokenizer = Tokenizer.load(file)) {
        loaded++;
        use(tokenizer);
      } catch (IllegalArgumentException e) {
        if (e.getMessage() == null || e.getMessage().isBlank()) {
          throw new AssertionError("an exception without message", e);
        }
        refused++;
      }
    }
    System.out.println("done: " + loaded + " loaded, " + refused + " refused");
  }

  private static void use(Tokenizer tokenizer) {
    Encoding encoding = tokenizer.encode("ab a\u00e9 [MASK] <unk>\ud83d\ude00", "b");
    tokenizer.encode("");
    tokenizer.encodeWindows("a b a b", EncodeOptions.DEFAULT);
    long[] known =
        Arrays.stream(encoding.ids()).filter(id -> tokenizer.idToToken(id).isPresent()).toArray();
    tokenizer.decode(known, true);
  }

  private static byte[] damaged(JsonNode root, Random random) throws IOException {
    byte[] bytes = JSON.writeValueAsBytes(root);
    if (random.nextInt(3) == 0) {
      return Arrays.copyOf(bytes, random.nextInt(bytes.length));
    }
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      int at = random.nextInt(bytes.length);
      bytes[at] =
          random.nextBoolean()
              ? (byte) (bytes[at] ^ 1 << random.nextInt(8))
              : (byte) "0129{}[]\",:-aA".charAt(random.nextInt(14));
    }
    return bytes;
  }

  /** One or two values anywhere in the tree are others, gone, or there twice. */
  private static byte[] altered(JsonNode root, Random random) throws IOException {
    for (int n = 1 + random.nextInt(2); n > 0; n--) {
      List<JsonNode> parents = new ArrayList<>();
      collect(root, parents);
      JsonNode parent = parents.get(random.nextInt(parents.size()));
      JsonNode value = JSON.readTree(VALUES[random.nextInt(VALUES.length)]);
      if (parent instanceof ObjectNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        String name = names.get(random.nextInt(names.size()));
        if (random.nextInt(4) == 0) {
          object.remove(name);
        } else {
          object.set(name, value);
        }
      } else if (parent instanceof ArrayNode array) {
        int at = random.nextInt(array.size());
        switch (random.nextInt(3)) {
          case 0 -> array.remove(at);
          case 1 -> array.insert(at, array.get(at).deepCopy());
          default -> array.set(at, value);
        }
      }
    }
    return JSON.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
  }

  private static void collect(JsonNode node, List<JsonNode> parents) {
    if (node.isContainerNode() && !node.isEmpty()) {
      parents.add(node);
      node.forEach(child -> collect(child, parents));
    }
  }
}
