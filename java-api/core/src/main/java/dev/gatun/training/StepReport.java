package dev.gatun.training;

/**
 * An update.
 *
 * @param step its number, from 1
 * @param maxSteps how many the run has
 * @param epoch how much of the data was seen by now, in passes
 * @param loss the mean loss of its items
 * @param gradNorm the norm of all gradients together, before it was limited
 * @param learningRate its rate
 * @param skipped whether nothing was changed, for a loss or a gradient that is not finite
 * @param tokens how many the model read
 * @param nanoseconds that it took
 */
public record StepReport(
    long step,
    long maxSteps,
    double epoch,
    double loss,
    double gradNorm,
    double learningRate,
    boolean skipped,
    long tokens,
    long nanoseconds) {}
