package dev.gatun.text.jinja;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A string whose every character knows whether the template wrote it or whether it was given to the
 * template as data. Operations of templates keep that; where a character comes of both, it counts
 * as data. Two texts are equal if their characters are.
 */
public final class Text implements Comparable<Text> {
  static final Text EMPTY = new Text("", null);

  private final String value;
  // The chars that are data; null for none. Never changed.
  private final BitSet data;

  private Text(String value, BitSet data) {
    this.value = value;
    this.data = data == null || data.isEmpty() ? null : data;
  }

  /**
   * A stretch of characters of one origin.
   *
   * @param text the characters
   * @param fromTemplate whether the template wrote them
   */
  public record Span(String text, boolean fromTemplate) {}

  /**
   * {@return text that a template may use as its own words, such as the spelling of a control
   * token}
   *
   * @param value the characters
   */
  public static Text template(String value) {
    return new Text(value, null);
  }

  /**
   * {@return text that is data, whatever it spells}
   *
   * @param value the characters
   */
  public static Text data(String value) {
    BitSet all = new BitSet();
    all.set(0, value.length());
    return new Text(value, all);
  }

  /**
   * {@return whether the template wrote all characters from {@code start} to before {@code end}}
   *
   * @param start an index into the Java string (UTF-16), from 0
   * @param end the index after the last one, at most the string's length
   */
  public boolean fromTemplate(int start, int end) {
    if (data == null) {
      return true;
    }
    int next = data.nextSetBit(start);
    return next < 0 || next >= end;
  }

  /**
   * {@return the stretches of one origin, in order; neighbours differ in their origin, and none is
   * empty}
   */
  public List<Span> spans() {
    List<Span> spans = new ArrayList<>();
    for (int at = 0; at < value.length(); ) {
      int end = runEnd(at);
      spans.add(new Span(value.substring(at, end), !isData(at)));
      at = end;
    }
    return spans;
  }

  private boolean isData(int at) {
    return data != null && data.get(at);
  }

  private int runEnd(int at) {
    if (data == null) {
      return value.length();
    }
    int end = data.get(at) ? data.nextClearBit(at) : data.nextSetBit(at);
    return end < 0 ? value.length() : Math.min(end, value.length());
  }

  int length() {
    return value.length();
  }

  boolean isEmpty() {
    return value.isEmpty();
  }

  /** The chars from {@code start} to before {@code end}, counted as Java does. */
  Text slice(int start, int end) {
    return start == 0 && end == value.length()
        ? this
        : new Text(value.substring(start, end), data == null ? null : data.get(start, end));
  }

  Text from(int start) {
    return slice(start, value.length());
  }

  /**
   * {@return this text and another one behind it, each character of the origin that it had}
   *
   * @param other the text behind
   */
  public Text plus(Text other) {
    return new Builder().add(this).add(other).text();
  }

  /** Text of the same origin: each stretch changed alone. */
  Text map(UnaryOperator<String> change) {
    Builder out = new Builder();
    for (Span span : spans()) {
      String changed = change.apply(span.text());
      out.add(span.fromTemplate() ? template(changed) : data(changed));
    }
    return out.text();
  }

  /** {@code made} from this text as a whole: data if any of this is. */
  Text made(String made) {
    if (data == null) {
      return template(made);
    }
    return made.length() == value.length() ? new Text(made, data) : data(made);
  }

  /** This text's code points, each as a text. */
  List<Text> characters() {
    List<Text> all = new ArrayList<>();
    for (int i = 0; i < value.length(); ) {
      int n = Character.charCount(value.codePointAt(i));
      all.add(slice(i, i + n));
      i += n;
    }
    return all;
  }

  /** The number of code points, Python's length. */
  int codePoints() {
    return value.codePointCount(0, value.length());
  }

  @Override
  public int compareTo(Text other) {
    int[] a = value.codePoints().toArray();
    int[] b = other.value.codePoints().toArray();
    return java.util.Arrays.compare(a, b);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Text text && text.value.equals(value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  /** The characters. */
  @Override
  public String toString() {
    return value;
  }

  /** Puts texts one after the other. */
  static final class Builder {
    private final StringBuilder out = new StringBuilder();
    private final BitSet marks = new BitSet();

    Builder add(Text text) {
      Budget.chars(text.length(), out.length());
      if (text.data != null) {
        for (int at = text.data.nextSetBit(0); at >= 0; ) {
          int end = text.data.nextClearBit(at);
          marks.set(out.length() + at, out.length() + end);
          at = text.data.nextSetBit(end);
        }
      }
      out.append(text.value);
      return this;
    }

    /** Adds words of the template or of the engine. */
    Builder add(String words) {
      Budget.chars(words.length(), out.length());
      out.append(words);
      return this;
    }

    int length() {
      return out.length();
    }

    Text text() {
      return new Text(out.toString(), (BitSet) marks.clone());
    }
  }
}
