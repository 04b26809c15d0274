package dev.gatun.generation;

import dev.gatun.text.DecodeStream;
import dev.gatun.text.Tokenizer;
import java.util.List;
import java.util.Optional;

/** A sequence's text: decoded as tokens come, and ended by a stop string. */
final class TextOutput {
  private final DecodeStream decode;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();

  /**
   * No text yet.
   *
   * @param tokenizer null where only ids are wanted
   */
  TextOutput(Tokenizer tokenizer, List<String> stopStrings) {
    this.decode = tokenizer == null ? null : tokenizer.decodeStream(true);
    this.stops = new StopStrings(stopStrings);
  }

  /** The text that a token makes certain. */
  String add(int id) {
    return decode == null ? "" : append(stops.add(decode.step(id)));
  }

  /** The text that waited, at the end. */
  String finish() {
    return decode == null || stops.found().isPresent()
        ? ""
        : append(stops.add(decode.finish()) + stops.finish());
  }

  private String append(String piece) {
    text.append(piece);
    return piece;
  }

  /** The stop string that was found. */
  Optional<String> stopped() {
    return stops.found();
  }

  String text() {
    return text.toString();
  }

  /** The whole text of some tokens, and the stop string that ended it. */
  static TextOutput of(Tokenizer tokenizer, List<String> stopStrings, int... ids) {
    TextOutput output = new TextOutput(tokenizer, stopStrings);
    for (int id : ids) {
      output.add(id);
    }
    output.finish();
    return output;
  }
}
