package dev.gatun.text;

import java.util.Map;

/**
 * The tokens that steer a model, such as those between the turns of a chat: a prompt's own words
 * may become them, a text of somebody else must not.
 *
 * @param ids the id of each, by its spelling
 * @param matched whether {@link Tokenizer#encode} makes them of their spellings, whoever wrote it
 */
public record ControlTokens(Map<String, Integer> ids, boolean matched) {
  /** Copies the map. */
  public ControlTokens {
    ids = Map.copyOf(ids);
  }
}
