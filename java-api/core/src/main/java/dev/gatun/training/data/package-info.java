/**
 * What models are trained on: data sets of files, and collators that make samples of them. Order
 * and masks are functions of the seed, the epoch and the sample alone.
 */
package dev.gatun.training.data;
