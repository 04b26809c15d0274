/**
 * Training of models: a {@link dev.gatun.training.Trainer} with Hugging Face's settings, schedules,
 * callbacks, and checkpoints that a run goes on from with the same bits.
 */
package dev.gatun.training;
