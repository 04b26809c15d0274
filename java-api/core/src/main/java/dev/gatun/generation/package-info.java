/** Text from causal language models: settings, sampling, beams, streams, and the scheduler. */
package dev.gatun.generation;
