package dev.gatun.pipelines;

/**
 * What a question answerer says of one window of a context.
 *
 * @param startScores for each token, the probability that an answer starts there; 0 for those of
 *     the question
 * @param endScores for each token, the probability that an answer ends there
 * @param inContext whether the token belongs to the context
 * @param starts where each token starts in the context
 * @param ends where each token ends
 */
record AnswerWindow(
    float[] startScores, float[] endScores, boolean[] inContext, int[] starts, int[] ends) {}
