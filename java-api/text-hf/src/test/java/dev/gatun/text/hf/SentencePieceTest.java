package dev.gatun.text.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Languages;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Directories with SentencePiece models against transformers, and the models themselves. */
class SentencePieceTest {
  private static final Path GOLDENS = Path.of("..", "..", "test", "goldens", "sentencepiece");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private Tokenizer load(Map<String, String> files, String config) throws IOException {
    for (Map.Entry<String, String> file : files.entrySet()) {
      Files.copy(GOLDENS.resolve(file.getValue()), folder.resolve(file.getKey()));
    }
    Files.writeString(folder.resolve("tokenizer_config.json"), config);
    return Tokenizer.load(folder);
  }

  private static String config(String kind, String... more) {
    StringBuilder text = new StringBuilder("{\"tokenizer_class\":\"" + kind + "\"");
    for (String each : more) {
      text.append(',').append(each);
    }
    return text + "}";
  }

  private Tokenizer family(String name) throws IOException {
    Map<String, String> spiece = Map.of("spiece.model", "t5.model");
    Map<String, String> fairseq = Map.of("sentencepiece.bpe.model", "fairseq.model");
    Map<String, String> bpe = Map.of("sentencepiece.bpe.model", "bpe.model");
    String french = "\"src_lang\":\"fra_Latn\"";
    return switch (name) {
      case "t5" -> load(spiece, config("T5Tokenizer", "\"extra_ids\":20"));
      case "pegasus" -> load(spiece, config("PegasusTokenizerFast"));
      case "mbart" -> load(fairseq, config("MBartTokenizer", "\"src_lang\":\"ro_RO\""));
      case "mbart50" -> load(fairseq, config("MBart50Tokenizer", "\"src_lang\":\"sl_SI\""));
      case "nllb" -> load(bpe, config("NllbTokenizer", french));
      case "nllb-legacy" -> load(bpe, config("NllbTokenizer", french, "\"legacy_behaviour\":true"));
      case "xlm-roberta" -> load(fairseq, config("XLMRobertaTokenizer"));
      case "llama" -> load(Map.of("tokenizer.model", "llama.model"), config("LlamaTokenizer"));
      case "marian" ->
          load(
              Map.of(
                  "source.spm", "source.spm",
                  "target.spm", "target.spm",
                  "vocab.json", "marian.vocab.json"),
              config("MarianTokenizer"));
      case "m2m-100" ->
          load(
              Map.of("sentencepiece.bpe.model", "bpe.model", "vocab.json", "m2m.vocab.json"),
              config("M2M100Tokenizer", "\"src_lang\":\"fr\""));
      default -> Tokenizer.load(GOLDENS.resolve(name));
    };
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "t5",
        "pegasus",
        "mbart",
        "mbart50",
        "nllb",
        "nllb-legacy",
        "xlm-roberta",
        "llama",
        "marian",
        "m2m-100",
        "t5.model",
        "fairseq.model",
        "bpe.model",
        "llama.model"
      })
  void tokensEqualTheLibrary(String name) throws IOException {
    JsonNode cases = JSON.readTree(GOLDENS.resolve("case.json").toFile());
    StringBuilder told = new StringBuilder();
    int wrong = 0;
    try (Tokenizer tokenizer = family(name)) {
      for (JsonNode each : cases) {
        if (!each.has("text")) {
          JsonNode size = each.path("sizes").path(name);
          assertEquals(size.intValue(), tokenizer.vocabSize());
          JsonNode mask = each.path("masks").path(name);
          String token = name.equals("pegasus") ? "<mask_2>" : "<mask>";
          assertEquals(mask.asInt(-1), tokenizer.tokenToId(token).orElse(-1));
          continue;
        }
        String text = each.path("text").textValue();
        JsonNode wanted = each.path(name);
        Encoding made = tokenizer.encode(text);
        String problem = problem(wanted, made, text);
        String decoded = tokenizer.decode(made.ids(), true);
        if (problem == null && !decoded.equals(wanted.path("decoded").textValue())) {
          problem = "decoded '%s', expected %s".formatted(decoded, wanted.path("decoded"));
        }
        if (problem != null) {
          wrong++;
          told.append("\n'%s': %s".formatted(text, problem));
        }
      }
    }
    assertEquals(0, wrong, () -> told.substring(0, Math.min(4000, told.length())));
  }

  private static String problem(JsonNode wanted, Encoding made, String text) {
    long[] ids = longs(wanted.path("ids"));
    if (!Arrays.equals(ids, made.ids())) {
      return "%s %s, expected %s"
          .formatted(
              Arrays.toString(made.ids()), Arrays.toString(made.tokens()), Arrays.toString(ids));
    }
    for (int i = 0; wanted.has("offsets") && i < ids.length; i++) {
      // Python counts code points.
      int begin = wanted.path("offsets").path(i).path(0).intValue();
      int end = wanted.path("offsets").path(i).path(1).intValue();
      begin = made.special()[i] ? 0 : text.offsetByCodePoints(0, begin);
      end = made.special()[i] ? 0 : text.offsetByCodePoints(0, end);
      if (begin != made.starts()[i] || end != made.ends()[i]) {
        return "token %d (%s) at %d to %d, expected %d to %d"
            .formatted(i, made.tokens()[i], made.starts()[i], made.ends()[i], begin, end);
      }
    }
    return null;
  }

  private static long[] longs(JsonNode ids) {
    return StreamSupport.stream(ids.spliterator(), false).mapToLong(JsonNode::longValue).toArray();
  }

  @Test
  void sentinelsAndMasksAreTokens() throws IOException {
    try (Tokenizer tokenizer = family("t5")) {
      int last = tokenizer.vocabSize() - 1;
      assertEquals(OptionalInt.of(last), tokenizer.tokenToId("<extra_id_0>"));
      assertEquals(OptionalInt.of(last - 19), tokenizer.tokenToId("<extra_id_19>"));
      assertEquals(last, tokenizer.encode("a <extra_id_0> b").ids()[2]);
      assertEquals(OptionalInt.of(1), tokenizer.specialTokens().eos());
    }
  }

  @Test
  void languagesStandWhereTransformersPutsThem() throws IOException {
    long[] text = {10, 11};
    try (Tokenizer tokenizer = family("nllb")) {
      Languages languages = tokenizer.languages();
      long french = tokenizer.tokenToId("fra_Latn").getAsInt();
      long german = tokenizer.tokenToId("deu_Latn").getAsInt();
      assertEquals(202, languages.codes().size());
      assertArrayEquals(new long[] {german, 10, 11, 2}, languages.source(text, "deu_Latn", "x"));
      assertArrayEquals(new long[] {french, 10, 11, 2}, languages.source(text, null, "x"));
      assertEquals(OptionalInt.of((int) french), languages.forcedBosTokenId("fra_Latn"));
      assertEquals(
          "the target language 'fr' is none of the model's 202: fra_Latn, ace_Arab, ace_Latn,"
              + " acm_Arab, acq_Arab, aeb_Arab, afr_Latn, ajp_Arab, ...",
          assertThrows(IllegalArgumentException.class, () -> languages.forcedBosTokenId("fr"))
              .getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "nllb-legacy,fra_Latn,BEHIND",
    "mbart,ro_RO,BEHIND",
    "mbart50,sl_SI,BEFORE",
    "m2m-100,fr,BEFORE"
  })
  void theTemplateIsThatOfTheLanguages(String name, String source, String where)
      throws IOException {
    try (Tokenizer tokenizer = family(name)) {
      EncodeOptions bare = EncodeOptions.DEFAULT.withSpecialTokens(false);
      Languages languages = tokenizer.languages();
      long[] framed = tokenizer.encode("The lake").ids();
      long[] text = tokenizer.encode("The lake", bare).ids();
      assertArrayEquals(framed, languages.source(text, source, null));
      assertArrayEquals(framed, languages.source(text, null, null));
      int language = languages.forcedBosTokenId(source).getAsInt();
      assertEquals(language, framed[where.equals("BEFORE") ? 0 : framed.length - 1]);
      assertEquals("The lake", tokenizer.decode(framed, true));
    }
  }

  @Test
  void marianTellsTheTargetInTheSource() throws IOException {
    try (Tokenizer tokenizer = family("marian")) {
      Languages languages = tokenizer.languages();
      assertEquals(java.util.List.of("fra", "deu"), languages.codes());
      EncodeOptions bare = EncodeOptions.DEFAULT.withSpecialTokens(false);
      long[] text = tokenizer.encode("The lake", bare).ids();
      long[] wanted = tokenizer.encode(">>deu<< The lake").ids();
      assertArrayEquals(wanted, languages.source(text, null, "deu"));
      assertArrayEquals(wanted, languages.source(text, null, ">>deu<<"));
      assertEquals(OptionalInt.empty(), languages.forcedBosTokenId("deu"));
      assertEquals(
          "the target language is missing; the model's 2: fra, deu",
          assertThrows(IllegalArgumentException.class, () -> languages.source(text, "en", null))
              .getMessage());
    }
  }

  @Test
  void damageIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(GOLDENS.resolve("t5.model"));
    Path file = folder.resolve("cut.model");
    Random random = new Random(5);
    for (int i = 0; i < 300; i++) {
      byte[] bytes = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      if (i % 2 == 0) {
        bytes = whole.clone();
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Files.write(file, bytes);
      // Other bytes may be other pieces; nothing but this may be thrown.
      try (Tokenizer tokenizer = Tokenizer.load(file)) {
        tokenizer.decode(tokenizer.encode("The lake \u00e9 \uff21").ids(), false);
      } catch (TokenizerException e) {
        assertTrue(e.getMessage().contains("cut.model"), e.getMessage());
      }
    }
    Files.write(file, Arrays.copyOf(whole, 100));
    String message =
        assertThrows(TokenizerException.class, () -> Tokenizer.load(file)).getMessage();
    assertTrue(message.contains("is it a SentencePiece model?"), message);
    Files.write(file, new byte[0]);
    message = assertThrows(TokenizerException.class, () -> Tokenizer.load(file)).getMessage();
    assertTrue(message.contains("has no pieces"), message);
  }

  /** What transformers' MarianTokenizer makes of text_target. */
  @Test
  void targetsOfMarianAreSpelledByTheirOwnModel() throws IOException {
    Map<String, long[]> wanted =
        Map.of(
            "Le canal relie les deux océans.",
            new long[] {
              2, 264, 9, 182, 2, 10, 9, 163, 9, 236, 138, 12, 268, 2, 7, 113, 122, 78, 3, 5, 0
            },
            ">>fra<< a boat",
            new long[] {275, 2, 115, 2, 112, 7, 115, 1, 0});
    try (Tokenizer tokenizer = family("marian")) {
      wanted.forEach(
          (text, ids) -> {
            assertArrayEquals(ids, tokenizer.encodeTarget(text, EncodeOptions.DEFAULT).ids());
            assertFalse(Arrays.equals(ids, tokenizer.encode(text).ids()));
          });
    }
    try (Tokenizer tokenizer = family("t5")) {
      String text = wanted.keySet().iterator().next();
      assertArrayEquals(
          tokenizer.encode(text).ids(), tokenizer.encodeTarget(text, EncodeOptions.DEFAULT).ids());
    }
  }

  @Test
  void filesThatLackAreNamed() throws IOException {
    Files.copy(GOLDENS.resolve("source.spm"), folder.resolve("source.spm"));
    assertTrue(error().contains("no target.spm"), error());
    Files.copy(GOLDENS.resolve("target.spm"), folder.resolve("target.spm"));
    assertTrue(error().contains("no vocab.json"), error());
    Files.writeString(folder.resolve("vocab.json"), "{\"a\":0}");
    assertTrue(error().contains("the special token '<unk>' is not there"), error());
    Files.delete(folder.resolve("source.spm"));
    Files.copy(GOLDENS.resolve("t5.model"), folder.resolve("spiece.model"));
    Files.writeString(folder.resolve("tokenizer_config.json"), config("AlbertTokenizer"));
    assertTrue(error().contains("the rules of AlbertTokenizer for spiece.model"), error());
  }

  private String error() {
    return assertThrows(TokenizerException.class, () -> Tokenizer.load(folder)).getMessage();
  }
}
