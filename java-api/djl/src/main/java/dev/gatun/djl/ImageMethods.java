package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import dev.gatun.djl.host.Refusal;

/** Operations on images. */
interface ImageMethods extends ExMethods {
  @Override
  default NDArray interpolation(long[] size, int mode, boolean alignCorners) {
    throw Refusal.unsupported("interpolation");
  }

  @Override
  default NDArray resize(int width, int height, int interpolation) {
    throw Refusal.unsupported("resize");
  }

  @Override
  default NDArray randomFlipLeftRight() {
    return flipped(-2);
  }

  @Override
  default NDArray randomFlipTopBottom() {
    return flipped(-3);
  }

  /** [.., height, width, channels], with one axis turned round in one of two cases. */
  private NDArray flipped(int axis) {
    return Randoms.draw().uniform() < 0.5 ? x().flip(axis) : x().duplicate();
  }

  @Override
  default NDArray randomBrightness(float brightness) {
    throw Refusal.unsupported("randomBrightness");
  }

  @Override
  default NDArray randomHue(float hue) {
    throw Refusal.unsupported("randomHue");
  }

  @Override
  default NDArray randomColorJitter(float brightness, float contrast, float saturation, float hue) {
    throw Refusal.unsupported("randomColorJitter");
  }
}
