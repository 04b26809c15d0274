package dev.gatun.training;

import java.util.Map;

/**
 * What a loss is multiplied by before gradients are computed of it, so that small ones are not 0 in
 * F16 (Micikevicius et al., "Mixed Precision Training", arXiv 1710.03740, 3.2), with the settings
 * of torch's {@code GradScaler}: 65,536 at first, doubled after 2,000 updates whose gradients were
 * finite, halved after one where they were not.
 */
final class LossScale {
  private static final String SCALE = "gatun.loss_scale";
  private static final String GOOD = "gatun.loss_scale_updates";
  private static final float FIRST = 65_536;
  private static final int INTERVAL = 2_000;

  private final boolean moves;
  private float factor;
  private int good;

  /**
   * A scale before the first update.
   *
   * @param moves whether losses are scaled; else it is 1 throughout
   */
  LossScale(boolean moves) {
    this.moves = moves;
    this.factor = moves ? FIRST : 1;
  }

  float factor() {
    return factor;
  }

  /** Moves it after an update. */
  void after(boolean finite) {
    if (!moves) {
      return;
    }
    good = finite ? good + 1 : 0;
    if (!finite) {
      factor /= 2;
    } else if (good == INTERVAL) {
      factor *= 2;
      good = 0;
    }
  }

  void save(Map<String, String> metadata) {
    if (moves) {
      metadata.put(SCALE, Float.toString(factor));
      metadata.put(GOOD, Integer.toString(good));
    }
  }

  /** Goes on as it was saved; a run that had none begins with the first. */
  void restore(Map<String, String> metadata) {
    if (moves && metadata.containsKey(SCALE) && metadata.containsKey(GOOD)) {
      factor = Float.parseFloat(metadata.get(SCALE));
      good = Integer.parseInt(metadata.get(GOOD));
    }
  }
}
