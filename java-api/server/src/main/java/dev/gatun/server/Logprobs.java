package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.GeneratedToken;
import dev.gatun.generation.TokenScore;
import dev.gatun.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Log-probabilities as the protocol has them; the tokens that end a text have none. */
final class Logprobs {
  /** What OpenAI's protocol writes for a probability of nothing. */
  private static final float LEAST = -9999;

  private final Tokenizer tokenizer;
  private final List<Integer> ends;
  private int offset;

  /**
   * @param ends the tokens that end a text
   * @param offset how many characters are before the first token's
   */
  Logprobs(Tokenizer tokenizer, List<Integer> ends, int offset) {
    this.tokenizer = tokenizer;
    this.ends = ends;
    this.offset = offset;
  }

  private String text(int id) {
    return tokenizer.idToToken(id).isEmpty() ? "" : tokenizer.decode(new long[] {id}, false);
  }

  private List<GeneratedToken> shown(List<GeneratedToken> tokens) {
    List<GeneratedToken> shown = new ArrayList<>(tokens);
    shown.removeIf(token -> ends.contains(token.id()));
    return shown;
  }

  private static float finite(float logprob) {
    return Math.max(LEAST, logprob);
  }

  /** As chats have them. */
  ObjectNode ofChat(List<GeneratedToken> tokens) {
    ArrayNode content = Json.array();
    for (GeneratedToken token : shown(tokens)) {
      ObjectNode told = content.addObject();
      put(told, token.id(), token.logprob());
      ArrayNode top = told.putArray("top_logprobs");
      for (TokenScore score : token.top()) {
        put(top.addObject(), score.id(), score.logprob());
      }
    }
    ObjectNode logprobs = Json.object();
    logprobs.set("content", content);
    logprobs.putNull("refusal");
    return logprobs;
  }

  private void put(ObjectNode told, int id, float logprob) {
    String text = text(id);
    told.put("token", text).put("logprob", finite(logprob));
    if (text.contains("\uFFFD")) {
      told.putNull("bytes");
      return;
    }
    ArrayNode bytes = told.putArray("bytes");
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      bytes.add(each & 0xFF);
    }
  }

  /** As completions have them. */
  ObjectNode ofCompletion(List<GeneratedToken> tokens) {
    ObjectNode logprobs = Json.object();
    ArrayNode texts = logprobs.putArray("tokens");
    ArrayNode numbers = logprobs.putArray("token_logprobs");
    ArrayNode tops = logprobs.putArray("top_logprobs");
    ArrayNode offsets = logprobs.putArray("text_offset");
    for (GeneratedToken token : shown(tokens)) {
      String text = text(token.id());
      texts.add(text);
      numbers.add(finite(token.logprob()));
      ObjectNode top = tops.addObject();
      token.top().forEach(score -> top.put(text(score.id()), finite(score.logprob())));
      offsets.add(offset);
      offset += text.length();
    }
    return logprobs;
  }
}
