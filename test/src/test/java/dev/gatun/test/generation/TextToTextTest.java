package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationResult;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.pipelines.FillInPipeline;
import dev.gatun.pipelines.SummarizationPipeline;
import dev.gatun.pipelines.TextToTextPipeline;
import dev.gatun.pipelines.TranslationPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pipelines of encoder-decoders give the ids and texts that transformers gives. */
final class TextToTextTest {
  private static final Path GOLDENS = Path.of("goldens/text-to-text");

  private static JsonNode cases(String name) throws IOException {
    Path file = GOLDENS.resolve(name).resolve("case.json");
    return new ObjectMapper().readTree(file.toFile()).get("cases");
  }

  private static void check(JsonNode expected, GenerationResult made) {
    assertEquals(expected.get("source_ids").size(), made.promptTokens());
    int[] ids =
        IntStream.range(0, expected.get("output").size())
            .map(i -> expected.get("output").get(i).intValue())
            .toArray();
    assertArrayEquals(ids, made.completions().getFirst().ids(), expected.toString());
    assertEquals(expected.get("text").textValue().strip(), made.text().strip());
  }

  @ParameterizedTest
  @ValueSource(strings = {"nllb", "mbart", "m2m", "marian"})
  void translations_are_those_of_transformers(String name) throws IOException {
    for (JsonNode each : cases(name)) {
      String source = each.get("source").textValue();
      String target = each.get("target").textValue();
      try (TranslationPipeline pipeline =
          TranslationPipeline.load(GOLDENS.resolve(name), source, target)) {
        GenerationConfig settings =
            pipeline.defaults().config().toBuilder().maxNewTokens(12).numBeams(2).build();
        String text = each.get("input").textValue();
        List<GenerationResult> both = pipeline.translate(List.of(text, text + " x"), settings);
        check(each, both.getFirst());
        check(each, pipeline.translate(text, settings));
      }
    }
  }

  @Test
  void tasks_are_those_of_transformers() throws IOException {
    Path t5 = GOLDENS.resolve("t5");
    GeneratorOptions options = GeneratorOptions.defaults();
    for (JsonNode each : cases("t5")) {
      String text = each.get("input").textValue();
      String task = each.get("task").textValue();
      if (task == null) {
        continue;
      }
      try (TextToTextPipeline pipeline = TextToTextPipeline.load(t5, options, task, null)) {
        check(each, pipeline.generate(text));
      }
      if (task.equals("summarization")) {
        try (SummarizationPipeline pipeline = SummarizationPipeline.load(t5)) {
          assertEquals(List.of(text), pipeline.parts(text));
          check(each, pipeline.summarize(text).parts().getFirst());
        }
      } else {
        try (TranslationPipeline pipeline =
            TranslationPipeline.load(t5, "en", task.substring(task.length() - 2))) {
          check(each, pipeline.translate(text));
        }
      }
    }
    assertEquals(
        t5
            + ": no task 'headlines' in task_specific_params of config.json; it has"
            + " summarization, translation_en_to_de, translation_en_to_fr",
        assertThrows(
                IllegalArgumentException.class,
                () -> TextToTextPipeline.load(t5, options, "headlines", null))
            .getMessage());
  }

  @Test
  void sentinels_are_filled_by_what_follows_them() throws IOException {
    try (FillInPipeline pipeline = FillInPipeline.load(GOLDENS.resolve("t5"))) {
      JsonNode each = cases("t5").get(cases("t5").size() - 1);
      String text = each.get("input").textValue();
      GenerationConfig settings = pipeline.defaults().config().toBuilder().maxNewTokens(12).build();
      FillInPipeline.Filled filled = pipeline.fill(text, settings);
      check(each, filled.result());
      assertEquals(2, filled.fillings().size());
      assertEquals(
          "The %s moves %s slowly.".formatted(filled.fillings().get(0), filled.fillings().get(1)),
          filled.text());
      assertEquals(
          "the text leaves nothing out: it has no <extra_id_0>",
          assertThrows(IllegalArgumentException.class, () -> pipeline.fill("All is there."))
              .getMessage());
    }
  }

  @Test
  void a_text_with_a_mask_is_written_anew() throws IOException {
    JsonNode each =
        new ObjectMapper().readTree(GOLDENS.resolve("mbart/case.json").toFile()).get("mask");
    try (FillInPipeline pipeline = FillInPipeline.load(GOLDENS.resolve("mbart"))) {
      GenerationConfig settings = pipeline.defaults().config().toBuilder().maxNewTokens(12).build();
      FillInPipeline.Filled filled = pipeline.fill(each.get("input").textValue(), settings);
      check(each, filled.result());
      assertEquals(filled.result().text(), filled.text());
      assertEquals(List.of(), filled.fillings());
    }
  }

  @Test
  void parts_of_long_texts_are_all_of_it() throws IOException {
    List<String> sentences = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      sentences.add("The ship %d climbs over the lake, and a pilot comes.".formatted(i));
    }
    String text = String.join(" ", sentences);
    for (int most : new int[] {17, 33, 64}) {
      try (SummarizationPipeline pipeline =
          SummarizationPipeline.load(
              GOLDENS.resolve("t5"), GeneratorOptions.defaults(), most, null)) {
        List<String> parts = pipeline.parts(text);
        assertEquals(text.replace(" ", ""), String.join("", parts).replace(" ", ""));
        assertTrue(parts.size() > 30 * 10 / most, parts.toString());
        if (most == 64) {
          parts.forEach(part -> assertTrue(part.endsWith("."), part));
        }
        assertEquals(parts.size(), pipeline.summarize(text).parts().size());
      }
    }
    String word = "x".repeat(400);
    try (SummarizationPipeline pipeline =
        SummarizationPipeline.load(GOLDENS.resolve("t5"), GeneratorOptions.defaults(), 33, null)) {
      assertEquals(word, String.join("", pipeline.parts(word)));
    }
    try (SummarizationPipeline pipeline =
        SummarizationPipeline.load(GOLDENS.resolve("t5"), GeneratorOptions.defaults(), 3, null)) {
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> pipeline.parts(text))
              .getMessage()
              .contains("a part of 3 tokens has no room for text"));
    }
  }
}
