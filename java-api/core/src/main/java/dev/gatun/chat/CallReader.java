package dev.gatun.chat;

import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Reads the calls behind a marker, character by character: an object, a list of objects, or a name
 * and an object. A call begins once its name is known, and its arguments are told as they come.
 */
final class CallReader {
  /** What a character was. */
  enum Outcome {
    /** More is to come. */
    MORE,
    /** The last one of the calls. */
    ENDED,
    /** Not what a call has there. */
    FAILED
  }

  private enum State {
    START,
    NAME,
    WORD,
    CALL_ID,
    ELEMENT,
    KEY_OR_END,
    KEY,
    COLON,
    VALUE,
    TEXT_VALUE,
    ARGUMENTS,
    OTHER_VALUE,
    AFTER_VALUE,
    AFTER_ELEMENT
  }

  /** Told of calls. */
  interface Calls {
    /** A call begins. */
    void begin(String name);

    /** More of the arguments of the call that began last. */
    void arguments(String text);
  }

  private static final Set<String> NAMES = Set.of("name", "tool_name");
  private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters");
  private static final String FUNCTION = "function";

  /** What an object that is a call without a marker may have. */
  private static final Set<String> KEYS =
      Set.of(
          "name", "tool_name", "arguments", "parameters", FUNCTION, "type", "id", "tool_call_id");

  private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}_.:/-]+");

  private final ToolCallFormat format;
  // Whose calls are calls without a marker; null for any.
  private final Set<String> known;
  private final Calls calls;
  private State state = State.START;
  private boolean list;
  private boolean named;
  private boolean nested;
  private final StringBuilder word = new StringBuilder();
  private JsonText text;
  private JsonScanner scanner;
  private Consumer<String> textTo;
  private String name;
  private final StringBuilder early = new StringBuilder();
  private boolean hasArguments;
  private boolean argumentsSeen;
  private boolean begun;

  /**
   * Nothing has come yet.
   *
   * @param known the only names whose calls are calls; null for any
   */
  CallReader(ToolCallFormat format, Set<String> known, Calls calls) {
    this.format = format;
    this.known = known;
    this.calls = calls;
  }

  /** Whether a call has begun that has not ended. */
  boolean inCall() {
    return begun;
  }

  /** Takes a character. */
  Outcome step(char c) {
    return switch (state) {
      case START -> start(c);
      case NAME -> name(c);
      case WORD -> word(c);
      case CALL_ID -> callId(c);
      case ELEMENT -> element(c);
      case KEY_OR_END -> keyOrEnd(c);
      case KEY -> key(c);
      case COLON -> blank(c) ? Outcome.MORE : c == ':' ? to(State.VALUE) : Outcome.FAILED;
      case VALUE -> blank(c) ? Outcome.MORE : value(c);
      case TEXT_VALUE -> textValue(c);
      case ARGUMENTS -> arguments(c);
      case OTHER_VALUE -> otherValue(c);
      case AFTER_VALUE -> afterValue(c);
      case AFTER_ELEMENT ->
          blank(c)
              ? Outcome.MORE
              : c == ',' ? to(State.ELEMENT) : c == ']' ? Outcome.ENDED : Outcome.FAILED;
    };
  }

  private Outcome to(State next) {
    state = next;
    return Outcome.MORE;
  }

  private static boolean blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  private Outcome start(char c) {
    if (word.isEmpty() && blank(c)) {
      return Outcome.MORE;
    }
    String fence = format.fence();
    if (!fence.isEmpty() && word.length() < fence.length() && fence.charAt(word.length()) == c) {
      word.append(c);
      return Outcome.MORE;
    }
    if (!word.isEmpty() && word.length() < fence.length()) {
      return Outcome.FAILED;
    }
    if (blank(c)) {
      return Outcome.MORE;
    }
    if (c == '[') {
      list = true;
      return to(State.ELEMENT);
    }
    if (c == '{') {
      return object();
    }
    if (!format.namesFirst()) {
      return Outcome.FAILED;
    }
    state = State.NAME;
    return name(c);
  }

  private Outcome object() {
    name = null;
    early.setLength(0);
    hasArguments = false;
    argumentsSeen = false;
    nested = false;
    return to(State.KEY_OR_END);
  }

  /** A name outside of JSON. */
  private Outcome name(char c) {
    if (c == '[' || c == '{') {
      if (!NAME.matcher(word).matches()) {
        return Outcome.FAILED;
      }
      object();
      named = true;
      name = word.toString();
      word.setLength(0);
      if (c == '{') {
        hasArguments = true;
        state = State.VALUE;
        return value(c);
      }
      word.append(c);
      return to(State.WORD);
    }
    word.append(c);
    return NAME.matcher(word).matches() ? Outcome.MORE : Outcome.FAILED;
  }

  /** A word in brackets behind a name. */
  private Outcome word(char c) {
    word.append(c);
    String so = word.toString();
    if (so.equals("[ARGS]")) {
      hasArguments = true;
      return to(State.VALUE);
    }
    if (so.equals("[CALL_ID]")) {
      word.setLength(0);
      return to(State.CALL_ID);
    }
    return "[ARGS]".startsWith(so) || "[CALL_ID]".startsWith(so) ? Outcome.MORE : Outcome.FAILED;
  }

  private Outcome callId(char c) {
    if (c != '[') {
      return Outcome.MORE;
    }
    word.append(c);
    return to(State.WORD);
  }

  private Outcome element(char c) {
    return blank(c) ? Outcome.MORE : c == '{' ? object() : Outcome.FAILED;
  }

  private Outcome keyOrEnd(char c) {
    if (blank(c)) {
      return Outcome.MORE;
    }
    if (c == '}') {
      return endObject();
    }
    if (c != '"') {
      return Outcome.FAILED;
    }
    word.setLength(0);
    text = new JsonText();
    return to(State.KEY);
  }

  private Outcome key(char c) {
    if (text.step(c, word)) {
      return Outcome.MORE;
    }
    boolean fits = known == null || KEYS.contains(word.toString());
    return fits ? to(State.COLON) : Outcome.FAILED;
  }

  private Outcome value(char c) {
    String key = word.toString();
    if (named || ARGUMENTS.contains(key)) {
      hasArguments = true;
      if (c != '"') {
        scanner = new JsonScanner();
        state = State.ARGUMENTS;
        return arguments(c);
      }
      return textTo(this::argument);
    }
    if (NAMES.contains(key) || key.equals(FUNCTION) && c == '"') {
      return c == '"' ? textTo(null) : Outcome.FAILED;
    }
    if (key.equals(FUNCTION) && c == '{' && !nested) {
      nested = true;
      return to(State.KEY_OR_END);
    }
    scanner = new JsonScanner();
    state = State.OTHER_VALUE;
    return otherValue(c);
  }

  private Outcome textTo(Consumer<String> consumer) {
    textTo = consumer;
    text = new JsonText();
    word.setLength(0);
    return to(State.TEXT_VALUE);
  }

  private Outcome textValue(char c) {
    boolean more = text.step(c, word);
    if (textTo != null && !word.isEmpty()) {
      textTo.accept(word.toString());
      word.setLength(0);
    }
    if (more) {
      return Outcome.MORE;
    }
    if (textTo == null) {
      name = word.toString();
      if (name.isBlank() || known != null && !known.contains(name)) {
        return Outcome.FAILED;
      }
      beginIfKnown();
    }
    return to(State.AFTER_VALUE);
  }

  private Outcome arguments(char c) {
    switch (scanner.step(c)) {
      case INSIDE -> argument(String.valueOf(c));
      case LAST -> {
        argument(String.valueOf(c));
        return afterArguments();
      }
      case AFTER -> {
        Outcome outcome = afterArguments();
        return outcome == Outcome.MORE ? step(c) : outcome;
      }
      case WRONG -> {
        return Outcome.FAILED;
      }
    }
    return Outcome.MORE;
  }

  private Outcome afterArguments() {
    return named ? endObject() : to(State.AFTER_VALUE);
  }

  private Outcome otherValue(char c) {
    return switch (scanner.step(c)) {
      case INSIDE -> Outcome.MORE;
      case LAST -> to(State.AFTER_VALUE);
      case AFTER -> {
        state = State.AFTER_VALUE;
        yield step(c);
      }
      case WRONG -> Outcome.FAILED;
    };
  }

  private Outcome afterValue(char c) {
    if (blank(c)) {
      return Outcome.MORE;
    }
    return c == ',' ? to(State.KEY_OR_END) : c == '}' ? endObject() : Outcome.FAILED;
  }

  private Outcome endObject() {
    if (nested) {
      nested = false;
      return to(State.AFTER_VALUE);
    }
    if (name == null || known != null && !hasArguments) {
      return Outcome.FAILED;
    }
    begin();
    if (!argumentsSeen) {
      calls.arguments("{}");
    }
    begun = false;
    named = false;
    word.setLength(0);
    return list ? to(State.AFTER_ELEMENT) : Outcome.ENDED;
  }

  /** No more comes: what waited of the arguments is told. */
  void finish() {
    if (begun && !early.isEmpty()) {
      calls.arguments(early.toString());
      early.setLength(0);
    }
  }

  private void beginIfKnown() {
    // Without a marker, an object with a name may be anything until it has arguments.
    if (name != null && (known == null || hasArguments)) {
      begin();
    }
  }

  private void begin() {
    if (!begun) {
      begun = true;
      calls.begin(name);
      tell();
    }
  }

  private void argument(String more) {
    early.append(more);
    beginIfKnown();
    if (begun) {
      tell();
    }
  }

  /** Tells arguments; null stands for none. */
  private void tell() {
    if ("null".startsWith(early.toString()) && !argumentsSeen) {
      return;
    }
    argumentsSeen = true;
    calls.arguments(early.toString());
    early.setLength(0);
  }
}
