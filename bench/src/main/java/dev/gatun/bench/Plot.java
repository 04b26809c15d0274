package dev.gatun.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A suite's medians as an SVG of horizontal bars: for each case one a contender, as long as its
 * time is in Gatun's, with the time beside it. Its colours are readable on light and on dark.
 */
final class Plot {
  private static final int LABEL = 300;
  private static final int UNIT = 130; // Gatun's time
  private static final double LONGEST = 4; // in Gatun's times; longer bars are cut
  private static final int BAR = 13;
  private static final int GAP = 10;
  private static final int TOP = 48;
  private static final int WIDTH = LABEL + (int) (LONGEST * UNIT) + 130;
  private static final List<String> COLOURS =
      List.of("#2f81f7", "#d97706", "#8b949e", "#16a34a", "#c026d3", "#dc2626");

  private final StringBuilder svg = new StringBuilder();
  private final Results results;
  private final List<String> contenders;

  private Plot(Results results) {
    this.results = results;
    this.contenders = List.copyOf(results.versions().keySet());
  }

  static String of(Results results) {
    return new Plot(results).text();
  }

  private String text() {
    int each = contenders.size() * BAR + GAP;
    int height = TOP + results.cases().size() * each + GAP;
    add(
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" \
        font-family="sans-serif" font-size="11">
        <title>%s: times, Gatun's beside its peers'</title>
        <style>
        text { fill: #57606a } .axis { stroke: #8b949e; stroke-dasharray: 2 3 }
        @media (prefers-color-scheme: dark) { text { fill: #adb5bd } }
        </style>
        """,
        WIDTH, height, WIDTH, height, escaped(results.suite()));
    legend();
    for (int times = 1; times <= LONGEST; times++) {
      int x = LABEL + times * UNIT;
      add(
          "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>%n",
          x, TOP - 6, x, height - GAP);
      words(x, TOP - 10, "middle", times + "x");
    }
    int y = TOP;
    for (Map.Entry<String, Map<String, double[]>> entry : results.cases().entrySet()) {
      words(LABEL - 8, y + (each - GAP) / 2 + 4, "end", entry.getKey());
      bars(y, entry.getKey(), entry.getValue());
      y += each;
    }
    return svg.append("</svg>\n").toString();
  }

  private void legend() {
    int x = LABEL;
    for (int i = 0; i < contenders.size(); i++) {
      bar(x, 8, 10, i);
      words(x + 14, 18, "start", contenders.get(i));
      x += 30 + 7 * contenders.get(i).length();
    }
  }

  private void bars(int top, String name, Map<String, double[]> times) {
    double own = Results.median(times.get(Contender.GATUN.id));
    for (int i = 0; i < contenders.size(); i++) {
      double seconds = Results.median(times.get(contenders.get(i)));
      double length = Math.min(LONGEST, seconds / own) * UNIT;
      int y = top + i * BAR;
      bar(LABEL, y, Math.max(1, (int) Math.round(length)), i);
      String cut = seconds / own > LONGEST ? " (%.1fx)".formatted(seconds / own) : "";
      words(LABEL + (int) length + 5, y + BAR - 3, "start", Table.shown(name, seconds) + cut);
    }
  }

  private void bar(int x, int y, int width, int contender) {
    add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>%n",
        x, y, width, BAR - 2, COLOURS.get(contender % COLOURS.size()));
  }

  private void words(int x, int y, String anchor, String words) {
    add("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, escaped(words));
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
