package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.Collectors;

/** How the tokens of a text become one vector; named as sentence-transformers' modes. */
public enum Pooling {
  /** The first token. */
  CLS("cls", "pooling_mode_cls_token"),
  /** The maximum of each feature. */
  MAX("max", "pooling_mode_max_tokens"),
  /** The mean over the tokens. */
  MEAN("mean", "pooling_mode_mean_tokens"),
  /** The sum over the tokens, divided by the root of their number. */
  MEAN_SQRT_LEN_TOKENS("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"),
  /** The mean over the tokens, a token weighing as much as its place, counted from 1. */
  WEIGHTEDMEAN("weightedmean", "pooling_mode_weightedmean_tokens"),
  /** The last token. */
  LASTTOKEN("lasttoken", "pooling_mode_lasttoken");

  private final String mode;
  private final String flag;

  Pooling(String mode, String flag) {
    this.mode = mode;
    this.flag = flag;
  }

  /** The key that older files have for it, true or false. */
  String flag() {
    return flag;
  }

  /** The mode of a name; null for one that is not known. */
  static Pooling of(String name) {
    return Arrays.stream(values()).filter(p -> p.mode.equals(name)).findFirst().orElse(null);
  }

  static String names() {
    return Arrays.stream(values()).map(p -> p.mode).collect(Collectors.joining(", "));
  }

  /** The vectors [texts, features] of texts' tokens. */
  Tensor pool(PooledTokens from) {
    return switch (this) {
      case CLS -> Reductions.pool(from.tokens(), from.segments(), PoolingMode.FIRST);
      case MAX -> Reductions.pool(from.tokens(), from.segments(), PoolingMode.MAX);
      case MEAN -> Reductions.pool(from.tokens(), from.segments(), PoolingMode.MEAN);
      case LASTTOKEN -> Reductions.pool(from.tokens(), from.segments(), PoolingMode.LAST);
      case MEAN_SQRT_LEN_TOKENS ->
          Elementwise.multiply(MEAN.pool(from), column(from, rootsOfLengths(from.lengths())));
      case WEIGHTEDMEAN ->
          Reductions.pool(
              Elementwise.multiply(
                  from.tokens(), column(from, weights(from.lengths(), from.skipped()))),
              from.segments(),
              PoolingMode.MEAN);
    };
  }

  private static Tensor column(PooledTokens from, float[] values) {
    return Tensor.of(from.tokens().device(), values, values.length, 1);
  }

  private static float[] rootsOfLengths(int[] lengths) {
    float[] roots = new float[lengths.length];
    for (int i = 0; i < roots.length; i++) {
      roots[i] = (float) Math.sqrt(lengths[i]);
    }
    return roots;
  }

  /** What makes the mean over the tokens a weighted one. */
  private static float[] weights(int[] lengths, int skipped) {
    float[] weights = new float[Arrays.stream(lengths).sum()];
    int at = 0;
    for (int length : lengths) {
      double sum = length * (skipped + (length + 1) / 2.0);
      for (int i = 0; i < length; i++) {
        weights[at++] = (float) ((skipped + i + 1.0) * length / sum);
      }
    }
    return weights;
  }
}
