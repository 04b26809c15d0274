package dev.gatun.pipelines;

/**
 * What a question answerer says of one window of a context.
 *
 * @param startLogits for each token, how it likes an answer to start there
 * @param endLogits for each token, how it likes an answer to end there
 * @param inContext whether the token belongs to the context
 * @param starts where each token starts in the context
 * @param ends where each token ends
 */
record AnswerWindow(
    float[] startLogits, float[] endLogits, boolean[] inContext, int[] starts, int[] ends) {}
