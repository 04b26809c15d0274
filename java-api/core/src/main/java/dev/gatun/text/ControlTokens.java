package dev.gatun.text;

import java.util.Map;
import java.util.Set;

/**
 * The tokens that steer a model, such as those between the turns of a chat: a prompt's own words
 * may become them, a text of somebody else must not.
 *
 * @param ids the id of each, by its spelling
 * @param matched those that {@link Tokenizer#encode} makes of their spellings, whoever wrote them
 */
public record ControlTokens(Map<String, Integer> ids, Set<String> matched) {
  /** Copies them. */
  public ControlTokens {
    ids = Map.copyOf(ids);
    matched = Set.copyOf(matched);
  }
}
