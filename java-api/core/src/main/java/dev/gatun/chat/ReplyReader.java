package dev.gatun.chat;

import dev.gatun.generation.GeneratedToken;
import dev.gatun.generation.StopStrings;
import dev.gatun.text.DecodeStream;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes an answer of its tokens: reasoning, text and tool calls. A control token is told from text
 * that spells it.
 */
final class ReplyReader {
  private final int index;
  private final int firstCall;
  private final Set<Integer> ends;
  private final DecodeStream decode;
  private final StopStrings stops;
  private final Map<Long, String> control = new HashMap<>();
  private final ReasoningParser parser;
  private final ToolCallParser toolCalls;
  private int tokens;

  private final StringBuilder reasoning = new StringBuilder();
  private final StringBuilder content = new StringBuilder();
  private final List<String> names = new ArrayList<>();
  private final List<StringBuilder> arguments = new ArrayList<>();

  private final StringBuilder newReasoning = new StringBuilder();
  private final StringBuilder newContent = new StringBuilder();
  private final List<ToolCallDelta> newCalls = new ArrayList<>();

  /**
   * Nothing has come yet.
   *
   * @param index which of the request's answers
   * @param how what is read of them
   */
  ReplyReader(int index, Reading how) {
    this.index = index;
    this.firstCall = how.callsBefore();
    this.ends = how.ends();
    Tokenizer tokenizer = how.tokenizer();
    this.decode = tokenizer.decodeStream(true);
    for (long id : how.before()) {
      decode.step(id);
    }
    this.stops = new StopStrings(how.stopStrings());
    Map<String, Integer> ids = tokenizer.controlTokens().ids();
    ids.forEach((spelling, id) -> control.put((long) id, spelling));
    Set<String> spellings = new TreeSet<>(ids.keySet());
    this.toolCalls =
        how.toolCallFormat() == null
            ? null
            : new ToolCallParser(how.toolCallFormat(), how.toolNames(), spellings, new Sink());
    this.parser =
        new ReasoningParser(
            how.reasoningFormat(), how.reasoning(), spellings, this::reason, new Answer());
    String marker = how.opening().strip();
    if (spellings.contains(marker)) {
      parser.control(marker);
    } else if (!marker.isEmpty()) {
      parser.text(how.opening());
    }
  }

  /**
   * What is read of the answers to a request.
   *
   * @param before the prompt's last tokens, where the answer goes on with a text; else none
   * @param opening what the answer begins with, which the prompt has; mostly empty
   * @param stopStrings texts that end it
   * @param ends tokens that end it
   * @param reasoningFormat null where the model does not reason
   * @param reasoning whether the prompt has begun reasoning
   * @param toolCallFormat null where there are no tools
   * @param callsBefore the number of calls in the conversation
   */
  record Reading(
      Tokenizer tokenizer,
      long[] before,
      String opening,
      List<String> stopStrings,
      Set<Integer> ends,
      ReasoningFormat reasoningFormat,
      boolean reasoning,
      ToolCallFormat toolCallFormat,
      Set<String> toolNames,
      int callsBefore) {}

  private final class Answer implements ReasoningParser.Answer {
    @Override
    public void text(String text) {
      if (toolCalls == null) {
        say(text);
      } else {
        toolCalls.text(text);
      }
    }

    @Override
    public void control(String spelling) {
      if (toolCalls != null) {
        toolCalls.control(spelling);
      }
    }
  }

  private final class Sink implements ToolCallParser.Sink {
    @Override
    public void content(String text) {
      say(text);
    }

    @Override
    public void begin(int call, String name) {
      names.add(name);
      arguments.add(new StringBuilder());
      newCalls.add(new ToolCallDelta(call, id(call), name, ""));
    }

    @Override
    public void arguments(int call, String text) {
      arguments.get(call).append(text);
      ToolCallDelta last = newCalls.isEmpty() ? null : newCalls.getLast();
      if (last != null && last.call() == call) {
        newCalls.removeLast();
        newCalls.add(new ToolCallDelta(call, last.id(), last.name(), last.arguments() + text));
      } else {
        newCalls.add(new ToolCallDelta(call, null, null, text));
      }
    }
  }

  /** Nine letters and digits, which is what some templates ask for. */
  private String id(int call) {
    return "call%05d".formatted(firstCall + call);
  }

  private void say(String text) {
    newContent.append(text);
    content.append(text);
  }

  private void reason(String text) {
    newReasoning.append(text);
    reasoning.append(text);
  }

  /** What tokens make certain. */
  ChatDelta add(List<GeneratedToken> more) {
    tokens += more.size();
    for (GeneratedToken token : more) {
      if (ends.contains(token.id()) || stops.found().isPresent()) {
        continue;
      }
      String spelling = control.get((long) token.id());
      if (spelling == null) {
        parser.text(stops.add(decode.step(token.id())));
      } else {
        flush();
        parser.control(spelling);
      }
    }
    return delta(more);
  }

  /** What waited, at the end. */
  ChatDelta finish() {
    flush();
    parser.finish();
    if (toolCalls != null) {
      toolCalls.finish();
    }
    return delta(List.of());
  }

  private void flush() {
    String last = decode.finish();
    parser.text(stops.found().isPresent() ? "" : stops.add(last) + stops.finish());
  }

  /** How many tokens have come. */
  int tokens() {
    return tokens;
  }

  private ChatDelta delta(List<GeneratedToken> more) {
    ChatDelta delta =
        new ChatDelta(index, newReasoning.toString(), newContent.toString(), newCalls, more);
    newReasoning.setLength(0);
    newContent.setLength(0);
    newCalls.clear();
    return delta;
  }

  /** The whole answer so far. */
  ChatMessage message() {
    List<ToolCall> calls = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      calls.add(new ToolCall(id(i), names.get(i), arguments.get(i).toString()));
    }
    return ChatMessage.assistant(content.toString(), calls).withReasoning(reasoning.toString());
  }
}
