package dev.gatun.text.chat;

import dev.gatun.text.jinja.Text;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A last message that the model goes on with: a mark behind its text tells where the prompt ends.
 */
final class OpenMessage {
  private static final String MARK = "CONTINUE_FINAL_MESSAGE_TAG ";

  private final String field;
  private final List<Map<String, ?>> marked;
  private String open;

  /**
   * Marks a message.
   *
   * @throws IllegalArgumentException if it has no such text, or if the template reads none
   */
  OpenMessage(List<? extends Map<String, ?>> messages, String field, String source) {
    this.field = field;
    this.marked = new ArrayList<>(messages);
    Map<String, Object> last = new LinkedHashMap<>(marked.removeLast());
    Object value = last.get(field);
    if (value == null) {
      throw new IllegalArgumentException("the last message has no '" + field + "' to go on with");
    }
    if (!source.contains(field)) {
      throw new IllegalArgumentException("the template does not read '" + field + "' of a message");
    }
    last.put(field, value instanceof List<?> blocks ? ofBlocks(blocks) : ofText(value));
    marked.add(last);
  }

  private Text ofText(Object value) {
    Text text =
        switch (value) {
          case Text given -> given;
          case String given -> Text.data(given);
          default ->
              throw new IllegalArgumentException(
                  "'%s' of the last message is no text to go on with".formatted(field));
        };
    open = text.toString().strip();
    return text.plus(Text.data(MARK));
  }

  private List<Object> ofBlocks(List<?> given) {
    List<Object> blocks = new ArrayList<>(given);
    for (int i = blocks.size() - 1; i >= 0; i--) {
      if (blocks.get(i) instanceof Map<?, ?> block && block.containsKey("text")) {
        Map<Object, Object> changed = new LinkedHashMap<>(block);
        changed.put("text", ofText(block.get("text")));
        blocks.set(i, changed);
        return blocks;
      }
    }
    throw new IllegalArgumentException(
        "'%s' of the last message has no text to go on with".formatted(field));
  }

  /** The messages with the mark. */
  List<Map<String, ?>> marked() {
    return marked;
  }

  /**
   * What was rendered of them, up to the mark.
   *
   * @throws IllegalArgumentException if the template left the message out or changed it
   */
  Prompt cut(Text rendered) {
    String all = rendered.toString();
    int at = all.lastIndexOf(MARK.strip());
    if (at < 0 || !all.contains(open)) {
      throw new IllegalArgumentException(
          "the template leaves out or changes '%s' of the last message, which is to be gone on with"
              .formatted(field));
    }
    boolean spaced = all.startsWith(MARK, at);
    return new Prompt(rendered, spaced ? at : all.substring(0, at).stripTrailing().length());
  }
}
