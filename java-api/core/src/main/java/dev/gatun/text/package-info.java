/**
 * Text to token ids and back: {@link dev.gatun.text.Tokenizer#load} reads the tokenizer of a
 * Hugging Face model directory. Nothing here uses the network.
 */
package dev.gatun.text;
