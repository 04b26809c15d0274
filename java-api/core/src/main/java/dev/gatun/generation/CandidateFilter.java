package dev.gatun.generation;

/** Scales the scores of the next token for sampling, or leaves tokens out. */
@FunctionalInterface
interface CandidateFilter {
  void apply(Candidates candidates);
}
