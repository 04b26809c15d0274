/** The tokenizers of {@link dev.gatun.text}, run by Hugging Face's native library. */
package dev.gatun.text.hf;
