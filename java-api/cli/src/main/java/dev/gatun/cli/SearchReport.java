package dev.gatun.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a search found.
 *
 * @param query what was looked for
 * @param model the model's name or directory
 * @param backend what ran it
 * @param files how many texts were searched
 * @param passages how many passages they have
 * @param embedded how many of them went through the model, the others being in the index
 * @param hidden how many hidden files were passed by
 * @param binary how many binary files were passed by
 * @param unreadable how many files were passed by because they could not be read as text
 * @param hits the best passages
 */
record SearchReport(
    String query,
    String model,
    String backend,
    int files,
    int passages,
    int embedded,
    int hidden,
    int binary,
    int unreadable,
    List<Hit> hits) {

  private record JsonSkipped(int hidden, int binary, int unreadable) {}

  private record JsonHit(
      int rank, float score, String file, int first_line, int last_line, String text) {}

  private record JsonReport(
      String query,
      String model,
      String backend,
      int files,
      int passages,
      int embedded,
      JsonSkipped skipped,
      List<JsonHit> results) {}

  String json() throws JsonProcessingException {
    return Json.write(toJson());
  }

  void print(Terminal terminal) {
    PrintStream out = terminal.out();
    if (hits.isEmpty()) {
      terminal.err().println("gatun: nothing to search in: no passages in the input");
    }
    for (Hit hit : hits) {
      out.println(
          terminal.bold(String.format(Locale.ROOT, "%.4f", hit.score()))
              + "  "
              + terminal.cyan(Terminal.shown(hit.file()) + ":" + hit.passage().firstLine()));
      Terminal.shown(hit.passage().text()).lines().forEach(line -> out.println("    " + line));
      out.println();
    }
    terminal.err().println(summary());
    terminal.err().println("backend: " + backend);
  }

  private String summary() {
    StringBuilder text = new StringBuilder();
    text.append(files).append(files == 1 ? " text, " : " texts, ");
    text.append(passages).append(passages == 1 ? " passage" : " passages");
    if (embedded < passages) {
      text.append(", ").append(embedded).append(" embedded now");
    }
    if (hidden + binary + unreadable > 0) {
      text.append("; skipped: ")
          .append(hidden)
          .append(" hidden, ")
          .append(binary)
          .append(" binary, ")
          .append(unreadable)
          .append(" unreadable");
    }
    return text.toString();
  }

  private JsonReport toJson() {
    List<JsonHit> results = new ArrayList<>();
    for (Hit hit : hits) {
      Passage at = hit.passage();
      results.add(
          new JsonHit(
              results.size() + 1,
              hit.score(),
              hit.file(),
              at.firstLine(),
              at.lastLine(),
              at.text()));
    }
    return new JsonReport(
        query,
        model,
        backend,
        files,
        passages,
        embedded,
        new JsonSkipped(hidden, binary, unreadable),
        results);
  }
}
