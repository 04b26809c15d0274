/** GGUF files, read as what they are and as the Hugging Face model that they were made of. */
package dev.gatun.weights.gguf;
