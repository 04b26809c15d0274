package dev.gatun.training;

import dev.gatun.models.LossCounts;
import dev.gatun.nn.Parameter;
import dev.gatun.training.data.Batch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A model with its gradients and its optimiser: what a {@link Trainer} drives. Not for use by
 * several threads.
 */
public interface Learner extends AutoCloseable {
  /** {@return the weights under Hugging Face's names, in the order of the model} */
  List<Parameter> parameters();

  /**
   * {@return what the loss of a batch is a mean over}
   *
   * @param batch samples of the model's objective
   * @throws IllegalArgumentException for labels that the model cannot take
   */
  LossCounts counts(Batch batch);

  /**
   * Computes a batch forward and backward, and adds its gradients to those that are there: of its
   * part of the update's loss.
   *
   * @param batch one of the update's
   * @param counts what the whole update's loss is a mean over, those of all of its batches
   * @param seed of dropout
   * @return the batch's part of the update's loss
   * @throws IllegalArgumentException for ids and labels that the model cannot take
   */
  double accumulate(Batch batch, LossCounts counts, long seed);

  /**
   * Changes the parameters by the gradients, unless one of these is not finite, and forgets the
   * gradients.
   *
   * @param learningRate of the update
   * @param maxGradNorm the largest norm of all gradients together, to which larger ones are scaled;
   *     0 for no limit
   * @return the norm of the gradients, and which of them was not finite
   */
  Update update(double learningRate, double maxGradNorm);

  /** {@return what the first rate of each group of parameters is of the learning rate} */
  default List<Double> rateFactors() {
    return List.of(1.0);
  }

  /**
   * {@return as {@link #update(double, double)}}
   *
   * @param rates of the groups
   * @param maxGradNorm as there
   */
  default Update update(List<Double> rates, double maxGradNorm) {
    return update(rates.getFirst(), maxGradNorm);
  }

  /** Forgets the gradients. */
  void discard();

  /**
   * {@return how well a batch is told, computed without dropout and without gradients}
   *
   * @param batch samples of the model's objective, with a label that counts
   * @throws IllegalArgumentException for ids and labels that the model cannot take
   */
  Evaluation evaluate(Batch batch);

  /**
   * Writes the model as a Hugging Face directory, into a folder that is there.
   *
   * @param directory the folder, without files of the model
   * @throws IOException when a file cannot be written
   */
  void save(Path directory) throws IOException;

  /**
   * Writes what the optimiser knows to a safetensors file that is not there yet.
   *
   * @param file where to write it, beside the model
   * @throws IOException when it cannot be written
   */
  void saveOptimizer(Path file) throws IOException;

  /**
   * Takes weights, and what the optimiser knows, as {@link #save} and {@link #saveOptimizer} left
   * them.
   *
   * @param directory the folder that {@link #save} filled
   * @param optimizer the optimiser's file; null for the weights alone
   * @throws IOException when a file cannot be read
   * @throws IllegalArgumentException when they are another model's, naming a parameter; then
   *     nothing was changed
   */
  void restore(Path directory, Path optimizer) throws IOException;

  @Override
  void close();

  /**
   * What an update did.
   *
   * @param gradNorm the norm of all gradients together, before it was limited
   * @param nonFinite the parameter whose gradient is not finite, so that nothing was changed; null
   *     where all are
   */
  record Update(double gradNorm, String nonFinite) {}

  /**
   * How well a batch is told.
   *
   * @param loss the sum of its items' losses
   * @param items how many there are, or what they weigh
   * @param correct those whose highest score is the label's; -1 where there is no such thing
   */
  record Evaluation(double loss, double items, long correct) {}
}
