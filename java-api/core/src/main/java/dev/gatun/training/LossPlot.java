package dev.gatun.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A plot of the loss over the steps, as SVG: of training, and of evaluation where there is one. */
final class LossPlot {
  private static final int WIDTH = 800;
  private static final int HEIGHT = 400;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TOP = 30;
  private static final int BOTTOM = 45;
  private static final int TICKS = 5;

  private LossPlot() {}

  private record Point(double step, double loss) {}

  static String svg(List<Map<String, Object>> history) {
    List<Point> training = points(history, "loss");
    List<Point> evaluation = points(history, "eval_loss");
    List<Point> all = new ArrayList<>(training);
    all.addAll(evaluation);
    double first = all.stream().mapToDouble(Point::step).min().orElse(0);
    double last = all.stream().mapToDouble(Point::step).max().orElse(1);
    double least = all.stream().mapToDouble(Point::loss).min().orElse(0);
    double most = all.stream().mapToDouble(Point::loss).max().orElse(1);
    double steps = last > first ? last - first : 1;
    double losses = most > least ? most - least : 1;
    StringBuilder svg = new StringBuilder();
    add(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
            + " font-size=\"12\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
        WIDTH,
        HEIGHT);
    for (int tick = 0; tick <= TICKS; tick++) {
      double share = (double) tick / TICKS;
      double x = LEFT + share * (WIDTH - LEFT - RIGHT);
      double y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
      add(
          svg,
          "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>%n"
              + "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n"
              + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>%n",
          LEFT,
          y,
          WIDTH - RIGHT,
          LEFT - 6,
          y + 4,
          String.format(Locale.ROOT, "%.4g", least + share * losses),
          x,
          HEIGHT - BOTTOM + 18,
          first + share * steps);
    }
    line(svg, training, "#1f77b4", first, steps, least, losses);
    line(svg, evaluation, "#d62728", first, steps, least, losses);
    add(
        svg,
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>%n"
            + "<text x=\"%d\" y=\"18\" fill=\"#1f77b4\">loss</text>%n",
        (LEFT + WIDTH - RIGHT) / 2,
        HEIGHT - 8,
        LEFT);
    if (!evaluation.isEmpty()) {
      add(svg, "<text x=\"%d\" y=\"18\" fill=\"#d62728\">eval_loss</text>%n", LEFT + 50);
    }
    return svg.append("</svg>\n").toString();
  }

  private static List<Point> points(List<Map<String, Object>> history, String key) {
    List<Point> points = new ArrayList<>();
    for (Map<String, Object> entry : history) {
      if (entry.get(key) instanceof Number loss
          && entry.get("step") instanceof Number step
          && Double.isFinite(loss.doubleValue())) {
        points.add(new Point(step.doubleValue(), loss.doubleValue()));
      }
    }
    return points;
  }

  private static void line(
      StringBuilder svg,
      List<Point> points,
      String colour,
      double first,
      double steps,
      double least,
      double losses) {
    if (points.isEmpty()) {
      return;
    }
    add(svg, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", colour);
    for (Point point : points) {
      add(
          svg,
          "%.1f,%.1f ",
          LEFT + (point.step - first) / steps * (WIDTH - LEFT - RIGHT),
          HEIGHT - BOTTOM - (point.loss - least) / losses * (HEIGHT - TOP - BOTTOM));
    }
    svg.append("\"/>\n");
  }

  private static void add(StringBuilder svg, String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values));
  }
}
