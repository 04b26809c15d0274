package dev.gatun.pipelines;

import dev.gatun.generation.GenerationResult;
import java.util.List;

/**
 * A text's summary.
 *
 * @param parts those of the parts that the text was cut into, in order; one where the model read it
 *     as a whole
 */
public record Summary(List<GenerationResult> parts) {
  /** Copies. */
  public Summary {
    parts = List.copyOf(parts);
  }

  /** {@return the summaries of the parts, a line each} */
  public String text() {
    return String.join("\n", parts.stream().map(part -> part.text().strip()).toList());
  }
}
