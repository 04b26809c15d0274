package dev.gatun.cli;

import dev.gatun.chat.ChatResult;
import dev.gatun.generation.GenerationResult;
import java.util.Locale;

/** How many tokens answers took, and how fast they came. */
final class ChatStats {
  private GenerationResult last;
  private long answers;
  private long prompts;
  private long cached;
  private long written;

  void add(ChatResult result) {
    last = result.generation();
    answers++;
    prompts += last.promptTokens();
    cached += last.cachedTokens();
    written += last.generatedTokens();
  }

  /**
   * Them as lines.
   *
   * @param context the most tokens of a conversation
   */
  String text(int context) {
    if (last == null) {
      return "no answer yet";
    }
    double promptSeconds = last.promptTime().toNanos() / 1e9;
    double textSeconds = last.generationTime().toNanos() / 1e9;
    int after = Math.max(0, last.generatedTokens() - last.completions().size());
    return String.format(
        Locale.ROOT,
        "last answer: %d tokens read, %d of them cached, %.2f s; %d tokens written, %.1f tokens/s%n"
            + "all %d: %d tokens read, %d of them cached; %d written%n"
            + "context: %d of %d tokens",
        last.promptTokens(),
        last.cachedTokens(),
        promptSeconds,
        last.generatedTokens(),
        textSeconds == 0 ? 0 : after / textSeconds,
        answers,
        prompts,
        cached,
        written,
        last.promptTokens() + last.generatedTokens(),
        context);
  }
}
