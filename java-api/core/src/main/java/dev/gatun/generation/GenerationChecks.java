package dev.gatun.generation;

/** What settings of generation may be, alone and together. */
final class GenerationChecks {
  private GenerationChecks() {}

  static void atLeast(String key, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          "%s is %d, expected a number from %d".formatted(key, value, least));
    }
  }

  static void within(String key, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      String range =
          most == 1
              ? (least == 0 ? "a number of 0 to 1" : "a number above 0, up to 1")
              : (least == 0
                  ? "a finite number from 0"
                  : least > 0 ? "a finite number above 0" : "a finite number");
      throw new IllegalArgumentException("%s is %s, expected %s".formatted(key, value, range));
    }
  }

  static void beams(
      int numBeams,
      int numBeamGroups,
      float diversityPenalty,
      int numReturnSequences,
      boolean doSample,
      float temperature) {
    if (numBeams % numBeamGroups != 0) {
      throw new IllegalArgumentException(
          "num_beam_groups is %d, expected a divisor of num_beams, which is %d"
              .formatted(numBeamGroups, numBeams));
    }
    if (numBeamGroups > 1 && doSample) {
      throw new IllegalArgumentException(
          "num_beam_groups is %d with do_sample, expected groups without sampling"
              .formatted(numBeamGroups));
    }
    if (diversityPenalty != 0 && numBeamGroups == 1) {
      throw new IllegalArgumentException(
          "diversity_penalty is %s with one group of beams, expected num_beam_groups from 2"
              .formatted(diversityPenalty));
    }
    if (numBeams > 1 && numReturnSequences > numBeams) {
      throw new IllegalArgumentException(
          "num_return_sequences is %d, expected no more than num_beams, which is %d"
              .formatted(numReturnSequences, numBeams));
    }
    if (numBeams == 1 && numReturnSequences > 1 && (!doSample || temperature == 0)) {
      throw new IllegalArgumentException(
          "num_return_sequences is %d, expected 1 where neither do_sample nor num_beams make them"
                  .formatted(numReturnSequences)
              + " differ");
    }
  }
}
