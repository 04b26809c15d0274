package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Refusal;
import java.util.Arrays;
import java.util.List;

/**
 * Boxes of single-shot detectors (Liu et al., arXiv 1512.02325), as [xmin, ymin, xmax, ymax] in
 * parts of an image. Results need no gradients.
 */
interface BoxMethods extends ExMethods {
  /** What offsets of centres and sizes are divided by. */
  double[] VARIANCES = {0.1, 0.1, 0.2, 0.2};

  private static double overlap(float[] a, int i, float[] b, int j) {
    double width = Math.min(a[i + 2], b[j + 2]) - Math.max(a[i], b[j]);
    double height = Math.min(a[i + 3], b[j + 3]) - Math.max(a[i + 1], b[j + 1]);
    double both = Math.max(0, width) * Math.max(0, height);
    double union = area(a, i) + area(b, j) - both;
    return union <= 0 ? 0 : both / union;
  }

  private static double area(float[] box, int at) {
    return (double) (box[at + 2] - box[at]) * (box[at + 3] - box[at + 1]);
  }

  @Override
  default NDList multiBoxPrior(
      List<Float> sizes, List<Float> ratios, List<Float> steps, List<Float> offsets, boolean clip) {
    Shape shape = x().getShape();
    if (shape.dimension() != 4 || sizes.isEmpty()) {
      throw Refusal.wrong(
          "multiBoxPrior: the array has shape %s, expected [batch, channels, height, width] and a"
              + " size or more",
          shape);
    }
    int height = Math.toIntExact(shape.get(2));
    int width = Math.toIntExact(shape.get(3));
    boolean told = steps.get(0) > 0 && steps.get(1) > 0;
    double stepY = told ? steps.get(0) : 1.0 / height;
    double stepX = told ? steps.get(1) : 1.0 / width;
    int each = sizes.size() + Math.max(0, ratios.size() - 1);
    float[] boxes = new float[height * width * each * 4];
    int next = 0;
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        for (int i = 0; i < each; i++) {
          // All sizes by the first ratio, then the first size by the other ratios.
          double size = sizes.get(i < sizes.size() ? i : 0);
          int ratio = i < sizes.size() ? 0 : i - sizes.size() + 1;
          double root = ratios.isEmpty() ? 1 : Math.sqrt(ratios.get(ratio));
          double halfWidth = size * height / width * root / 2;
          double halfHeight = size / root / 2;
          double x = (column + offsets.get(1)) * stepX;
          double y = (row + offsets.get(0)) * stepY;
          boxes[next++] = (float) (x - halfWidth);
          boxes[next++] = (float) (y - halfHeight);
          boxes[next++] = (float) (x + halfWidth);
          boxes[next++] = (float) (y + halfHeight);
        }
      }
    }
    for (int i = 0; clip && i < boxes.length; i++) {
      boxes[i] = Math.clamp(boxes[i], 0, 1);
    }
    return new NDList(x().getManager().create(boxes, new Shape(1, boxes.length / 4, 4)));
  }

  @Override
  default NDList multiBoxTarget(
      NDList inputs,
      float iouThreshold,
      float ignoreLabel,
      float negativeMiningRatio,
      float negativeMiningThreshold,
      int minNegativeSamples) {
    Shape labels = inputs.get(1).getShape();
    Shape scores = inputs.get(2).getShape();
    if (labels.dimension() != 3 || labels.get(2) < 5 || scores.dimension() != 3) {
      throw Refusal.wrong(
          "multiBoxTarget: labels are %s, predictions %s, expected [batch, objects, 5] and [batch,"
              + " classes, boxes]",
          labels, scores);
    }
    float[] anchors = inputs.get(0).toFloatArray();
    int boxes = anchors.length / 4;
    int batch = Math.toIntExact(labels.get(0));
    float[] offsets = new float[batch * boxes * 4];
    float[] mask = new float[batch * boxes * 4];
    float[] classes = new float[batch * boxes];
    for (int n = 0; n < batch; n++) {
      float[] objects;
      try (NDArray one = inputs.get(1).get(n)) {
        objects = one.toFloatArray();
      }
      int width = Math.toIntExact(labels.get(2));
      int[] match = new int[boxes];
      double[] best = new double[boxes];
      matched(anchors, objects, width, iouThreshold, match, best);
      boolean[] negative = new boolean[boxes];
      if (negativeMiningRatio > 0) {
        try (NDArray one = inputs.get(2).get(n);
            NDArray background = one.softmax(0).get(0)) {
          float[] order = background.toFloatArray();
          long positive = Arrays.stream(match).filter(m -> m >= 0).count();
          long wanted =
              Math.max((long) (positive * negativeMiningRatio), (long) minNegativeSamples);
          java.util.stream.IntStream.range(0, boxes)
              .filter(i -> match[i] < 0 && best[i] < negativeMiningThreshold)
              .boxed()
              .sorted(java.util.Comparator.comparingDouble(i -> order[i]))
              .limit(wanted)
              .forEach(i -> negative[i] = true);
        }
      } else {
        Arrays.fill(negative, true);
      }
      for (int i = 0; i < boxes; i++) {
        int at = n * boxes + i;
        if (match[i] >= 0) {
          classes[at] = objects[match[i] * width] + 1;
          encode(anchors, i * 4, objects, match[i] * width + 1, offsets, at * 4);
          Arrays.fill(mask, at * 4, at * 4 + 4, 1);
        } else {
          classes[at] = negative[i] ? 0 : ignoreLabel;
        }
      }
    }
    GatunNDManager manager = x().getManager();
    Shape flat = new Shape(batch, boxes * 4L);
    return new NDList(
        manager.create(offsets, flat),
        manager.create(mask, flat),
        manager.create(classes, new Shape(batch, boxes)));
  }

  /** Each object's best anchor first, then each anchor's best object above a threshold. */
  private static void matched(
      float[] anchors, float[] objects, int width, float threshold, int[] match, double[] best) {
    Arrays.fill(match, -1);
    int count = 0;
    while (count * width < objects.length && objects[count * width] != -1) {
      count++;
    }
    double[][] overlaps = new double[count][match.length];
    int[] favourite = new int[match.length];
    for (int j = 0; j < count; j++) {
      for (int i = 0; i < match.length; i++) {
        overlaps[j][i] = overlap(anchors, i * 4, objects, j * width + 1);
        if (overlaps[j][i] > best[i]) {
          best[i] = overlaps[j][i];
          favourite[i] = j;
        }
      }
    }
    boolean[] done = new boolean[count];
    for (int round = 0; round < count; round++) {
      int object = -1;
      int anchor = -1;
      double most = 1e-6;
      for (int j = 0; j < count; j++) {
        for (int i = 0; !done[j] && i < match.length; i++) {
          if (match[i] < 0 && overlaps[j][i] > most) {
            most = overlaps[j][i];
            object = j;
            anchor = i;
          }
        }
      }
      if (object < 0) {
        break;
      }
      match[anchor] = object;
      done[object] = true;
    }
    for (int i = 0; i < match.length; i++) {
      if (match[i] < 0 && count > 0 && best[i] > threshold) {
        match[i] = favourite[i];
      }
    }
  }

  private static void encode(float[] anchors, int a, float[] objects, int o, float[] to, int at) {
    for (int axis = 0; axis < 2; axis++) {
      double length = anchors[a + axis + 2] - anchors[a + axis];
      double wanted = objects[o + axis + 2] - objects[o + axis];
      double centre = (anchors[a + axis + 2] + anchors[a + axis]) / 2.0;
      double target = (objects[o + axis + 2] + objects[o + axis]) / 2.0;
      to[at + axis] = (float) ((target - centre) / length / VARIANCES[axis]);
      to[at + 2 + axis] = (float) (Math.log(wanted / length) / VARIANCES[2 + axis]);
    }
  }

  @Override
  default NDList multiBoxDetection(
      NDList inputs,
      boolean clip,
      float threshold,
      int backgroundId,
      float nmsThreshold,
      boolean forceSuppress,
      int nmsTopK) {
    Shape shape = inputs.get(0).getShape();
    float[] anchors = inputs.get(2).toFloatArray();
    int boxes = anchors.length / 4;
    if (shape.dimension() != 3 || shape.get(2) != boxes) {
      throw Refusal.wrong(
          "multiBoxDetection: probabilities are %s of %d boxes, expected [batch, classes, boxes]",
          shape, boxes);
    }
    int batch = Math.toIntExact(shape.get(0));
    int classes = Math.toIntExact(shape.get(1));
    float[] results = new float[batch * boxes * 6];
    float[] offsets = inputs.get(1).toFloatArray();
    float[] probabilities = inputs.get(0).toFloatArray();
    for (int n = 0; n < batch; n++) {
      float[][] found = new float[boxes][];
      for (int i = 0; i < boxes; i++) {
        float[] box = decode(anchors, i * 4, offsets, (n * boxes + i) * 4, clip);
        int id = -1;
        float score = -1;
        for (int c = 0; c < classes; c++) {
          float p = probabilities[(n * classes + c) * boxes + i];
          if (c != backgroundId && p > score) {
            score = p;
            id = c;
          }
        }
        int shown = score < threshold ? -1 : id > backgroundId ? id - 1 : id;
        found[i] = new float[] {shown, score, box[0], box[1], box[2], box[3]};
      }
      // Those that are none come last.
      Arrays.sort(
          found, (a, b) -> a[0] < 0 != b[0] < 0 ? (a[0] < 0 ? 1 : -1) : Float.compare(b[1], a[1]));
      suppress(found, nmsThreshold, forceSuppress, nmsTopK);
      for (int i = 0; i < boxes; i++) {
        System.arraycopy(found[i], 0, results, (n * boxes + i) * 6, 6);
      }
    }
    return new NDList(x().getManager().create(results, new Shape(batch, boxes, 6)));
  }

  private static float[] decode(float[] anchors, int a, float[] offsets, int o, boolean clip) {
    float[] box = new float[4];
    for (int axis = 0; axis < 2; axis++) {
      double length = anchors[a + axis + 2] - anchors[a + axis];
      double centre = (anchors[a + axis + 2] + anchors[a + axis]) / 2.0;
      double middle = offsets[o + axis] * VARIANCES[axis] * length + centre;
      double half = Math.exp(offsets[o + 2 + axis] * VARIANCES[2 + axis]) * length / 2;
      box[axis] = (float) (middle - half);
      box[axis + 2] = (float) (middle + half);
    }
    for (int i = 0; clip && i < 4; i++) {
      box[i] = Math.clamp(box[i], 0, 1);
    }
    return box;
  }

  private static void suppress(float[][] found, float threshold, boolean force, int topK) {
    if (!(threshold > 0 && threshold <= 1)) {
      return;
    }
    int last = topK > 0 ? Math.min(topK, found.length) : found.length;
    for (int i = last; i < found.length; i++) {
      found[i][0] = -1;
    }
    for (int i = 0; i < last; i++) {
      for (int j = i + 1; j < last && found[i][0] >= 0; j++) {
        boolean rivals = force || found[i][0] == found[j][0];
        if (found[j][0] >= 0 && rivals && overlap(found[i], 2, found[j], 2) > threshold) {
          found[j][0] = -1;
        }
      }
    }
  }
}
