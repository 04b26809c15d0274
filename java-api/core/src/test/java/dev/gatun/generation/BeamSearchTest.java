package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.generation.BeamGroup.Beam;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Beam search over logits that a table gives, against transformers. */
final class BeamSearchTest {
  private static final Path GOLDEN = Path.of("../../test/goldens/beam-search/case.json");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Predicate<TokenHistory> NEVER = history -> false;

  @TempDir Path directory;

  private static List<Beam> search(
      JsonNode table,
      int[] prompt,
      GenerationConfig config,
      long seed,
      Predicate<TokenHistory> ends) {
    int maxLength = prompt.length + config.maxNewTokens().getAsInt();
    BeamSearch search =
        new BeamSearch(config, ends, new TokenHistory(prompt), null, maxLength, seed);
    List<Beam> before = search.running();
    while (!search.isDone()) {
      List<Beam> running = search.running();
      for (Beam beam : running) {
        int[] ids = beam.history().toArray();
        int shared = Math.max(ids.length - 1, prompt.length);
        int[] parent = before.get(beam.parent()).history().toArray();
        assertArrayEquals(Arrays.copyOf(ids, shared), Arrays.copyOf(parent, shared));
      }
      before = running;
      search.step(
          running.stream().map(beam -> scores(table, beam.history())).toArray(float[][]::new));
    }
    return search.results();
  }

  private static float[] scores(JsonNode table, TokenHistory history) {
    int last = history.get(history.length() - 1);
    int before = history.length() > 1 ? history.get(history.length() - 2) : 0;
    JsonNode row = table.get((last * 31 + before * 17) % table.size());
    float[] logits = new float[row.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = row.get(i).intValue() / 1024f;
    }
    Sampler.logSoftmax(logits);
    return logits;
  }

  private static int[] ids(JsonNode node) {
    return JSON.convertValue(node, int[].class);
  }

  @Test
  void every_setting_finds_what_transformers_finds() throws IOException {
    JsonNode cases = JSON.readTree(GOLDEN.toFile()).get("cases");
    for (JsonNode each : cases) {
      String settings = each.get("generation_config").toString();
      Files.writeString(directory.resolve("generation_config.json"), settings);
      GenerationConfig config = GenerationConfig.load(directory).config();
      List<Beam> found = search(each.get("table"), ids(each.get("prompt")), config, 0, NEVER);
      assertEquals(each.get("sequences").size(), found.size(), settings);
      for (int i = 0; i < found.size(); i++) {
        TokenHistory history = found.get(i).history();
        assertArrayEquals(
            ids(each.get("sequences").get(i)), history.from(history.promptLength()), settings);
        double score = each.get("sequences_scores").get(i).doubleValue();
        assertEquals(score, found.get(i).score(), 1e-4 * Math.max(1, Math.abs(score)), settings);
      }
    }
  }

  private static GenerationConfig.Builder four() {
    return GenerationConfig.builder()
        .numBeams(4)
        .numReturnSequences(4)
        .maxNewTokens(6)
        .eosTokenId(List.of(1));
  }

  private static List<List<Integer>> generated(List<Beam> beams) {
    List<List<Integer>> all = new ArrayList<>();
    for (Beam beam : beams) {
      List<Integer> ids = new ArrayList<>();
      for (int id : beam.history().from(beam.history().promptLength())) {
        ids.add(id);
      }
      all.add(ids);
    }
    return all;
  }

  @Test
  void groups_differ_by_the_penalty() throws IOException {
    for (JsonNode each : JSON.readTree(GOLDEN.toFile()).get("cases")) {
      JsonNode table = each.get("table");
      int[] prompt = ids(each.get("prompt"));
      GenerationConfig grouped = four().numBeamGroups(2).build();
      List<List<Integer>> same = generated(search(table, prompt, grouped, 0, NEVER));
      GenerationConfig two = four().numBeams(2).numReturnSequences(2).build();
      List<List<Integer>> plain = generated(search(table, prompt, two, 0, NEVER));
      assertEquals(List.of(plain.get(0), plain.get(0), plain.get(1), plain.get(1)), same);
      GenerationConfig apart =
          four().numBeamGroups(4).diversityPenalty(100).eosTokenId(List.of()).build();
      Set<Integer> first = new HashSet<>();
      generated(search(table, prompt, apart, 0, NEVER)).forEach(ids -> first.add(ids.getFirst()));
      assertEquals(4, first.size());
    }
  }

  @Test
  void sampled_beams_repeat_by_their_seed_and_differ() throws IOException {
    JsonNode each = JSON.readTree(GOLDEN.toFile()).get("cases").get(0);
    int[] prompt = ids(each.get("prompt"));
    GenerationConfig config = four().doSample(true).topK(0).temperature(3).build();
    Set<List<List<Integer>>> found = new HashSet<>();
    for (int seed = 0; seed < 20; seed++) {
      List<List<Integer>> once = generated(search(each.get("table"), prompt, config, seed, NEVER));
      assertEquals(once, generated(search(each.get("table"), prompt, config, seed, NEVER)));
      assertEquals(once.size(), new HashSet<>(once).size());
      found.add(once);
    }
    assertFalse(found.size() < 10, found.toString());
  }

  @Test
  void a_sequence_may_end_for_another_reason() throws IOException {
    JsonNode each = JSON.readTree(GOLDEN.toFile()).get("cases").get(0);
    int[] prompt = ids(each.get("prompt"));
    List<Beam> found =
        search(each.get("table"), prompt, four().build(), 0, history -> history.generated() == 2);
    for (List<Integer> ids : generated(found)) {
      assertFalse(ids.size() > 2, ids.toString());
    }
    assertNotEquals(
        generated(search(each.get("table"), prompt, four().build(), 0, NEVER)), generated(found));
  }
}
