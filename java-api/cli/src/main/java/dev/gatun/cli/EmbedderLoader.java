package dev.gatun.cli;

import java.nio.file.Path;

/** Opens models. */
interface EmbedderLoader {
  /** Opens the model of a directory, or the bundled one when that is null. */
  Embedder load(Path directory);

  /** One line about what runs it. */
  String backend();
}
