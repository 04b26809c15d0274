package dev.gatun.chat;

import java.util.List;

/** How a model spells tool calls. */
public enum ToolCallFormat {
  /**
   * Hermes and Qwen: {@code <tool_call>{"name": "f", "arguments": {...}}</tool_call>}, one or more.
   */
  HERMES(List.of("<tool_call>"), "</tool_call>", false),
  /**
   * LLaMA 3: an answer that is {@code {"name": "f", "parameters": {...}}} and no more, with or
   * without {@code <|python_tag|>} before it; further ones after a semicolon or a line end.
   */
  LLAMA(List.of("<|python_tag|>"), null, true),
  /**
   * Mistral: {@code [TOOL_CALLS]} before a list of {@code {"name": "f", "arguments": {...}}}, or
   * before {@code f[ARGS]{...}} of each call.
   */
  MISTRAL(List.of("[TOOL_CALLS]"), null, false),
  /**
   * Command-R: {@code Action:} at the beginning of a line, and a list of {@code {"tool_name": "f",
   * "parameters": {...}}}, fenced.
   */
  COMMAND_R(List.of("Action:"), "```", false),
  /** Command R7B: such a list between {@code <|START_ACTION|>} and {@code <|END_ACTION|>}. */
  COMMAND_R7B(List.of("<|START_ACTION|>"), "<|END_ACTION|>", false),
  /** Granite and Phi-4: {@code <|tool_call|>} before a list of calls. */
  TOOL_CALL_TOKEN(List.of("<|tool_call|>"), "<|/tool_call|>", false),
  /**
   * An answer that is {@code {"name": "f", "arguments": {...}}}, or a list of them, and no more.
   */
  JSON(List.of(), null, true);

  private final List<String> starts;
  private final String end;
  private final boolean bare;

  ToolCallFormat(List<String> starts, String end, boolean bare) {
    this.starts = starts;
    this.end = end;
    this.bare = bare;
  }

  /** The format that a chat template's own words show; {@link #JSON} where they show none. */
  static ToolCallFormat ofTemplate(String source) {
    if (source.contains("<|START_ACTION|>")) {
      return COMMAND_R7B;
    }
    if (source.contains("[TOOL_CALLS]")) {
      return MISTRAL;
    }
    if (source.contains("<|tool_call|>")) {
      return TOOL_CALL_TOKEN;
    }
    if (source.contains("<tool_call>")) {
      return HERMES;
    }
    if (source.contains("Action:") && source.contains("tool_name")) {
      return COMMAND_R;
    }
    if (source.contains("<|python_tag|>")
        || source.contains("<|start_header_id|>") && source.contains("\"parameters\"")) {
      return LLAMA;
    }
    return JSON;
  }

  /** What calls begin with. */
  List<String> starts() {
    return starts;
  }

  /** What they end with; null for nothing. */
  String end() {
    return end;
  }

  /** Whether an answer may be a call without anything before it. */
  boolean isBare() {
    return bare;
  }

  /** Whether what they begin with counts at the beginning of a line alone. */
  boolean startsLine() {
    return this == COMMAND_R;
  }

  /** What may stand between the marker and the calls; empty for nothing. */
  String fence() {
    return this == COMMAND_R ? "```json" : "";
  }

  /** What an answer begins with that is to call tools. */
  String opening() {
    return switch (this) {
      case HERMES -> "<tool_call>\n";
      case LLAMA, JSON -> "";
      case COMMAND_R -> "Action: ```json\n";
      default -> starts.getFirst();
    };
  }

  /** Whether calls stand in a list. */
  boolean isList() {
    return this != HERMES && this != LLAMA && this != JSON;
  }

  /** The key of a call's name. */
  String nameKey() {
    return this == COMMAND_R || this == COMMAND_R7B ? "tool_name" : "name";
  }

  /** The key of a call's arguments. */
  String argumentsKey() {
    return this == COMMAND_R || this == COMMAND_R7B || this == LLAMA ? "parameters" : "arguments";
  }

  /** Whether a name may stand before the arguments, outside of the JSON. */
  boolean namesFirst() {
    return this == MISTRAL;
  }
}
