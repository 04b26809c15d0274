package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The languages of a model whose tokens name them. mBART, mBART-50, M2M-100 and NLLB have one
 * beside the source, and the text that they write begins with another; Marian has the language to
 * write before the source.
 */
public final class Languages {
  /** Of a tokenizer whose tokens name none. */
  public static final Languages NONE =
      new Languages(Where.NOWHERE, Map.of(), null, OptionalInt.empty());

  private enum Where {
    NOWHERE,
    /** Source's language, tokens, end. */
    BEFORE,
    /** Tokens, end, source's language. */
    BEHIND,
    /** Target's language, tokens, end. */
    TARGET_BEFORE
  }

  private final Where where;
  private final Map<String, Integer> ids;
  private final String defaultSource;
  private final OptionalInt end;

  private Languages(Where where, Map<String, Integer> ids, String defaultSource, OptionalInt end) {
    this.where = where;
    this.ids = ids;
    this.defaultSource = defaultSource;
    this.end = end;
  }

  /**
   * Finds them.
   *
   * @param config {@code tokenizer_config.json}
   * @param root the tokenizer.json, for its added tokens
   */
  static Languages of(
      TokenizerFamily family, JsonNode config, JsonNode root, Vocabulary vocabulary) {
    boolean legacy = config.path("legacy_behaviour").asBoolean(false);
    return switch (family) {
      case MBART ->
          of(
              Where.BEHIND,
              "([a-z]{2,3}_[A-Z]{2})",
              LanguageCodes.MBART,
              "en_XX",
              config,
              root,
              vocabulary);
      case MBART_50 ->
          of(
              Where.BEFORE,
              "([a-z]{2,3}_[A-Z]{2})",
              LanguageCodes.MBART_50,
              "en_XX",
              config,
              root,
              vocabulary);
      case NLLB ->
          of(
              legacy ? Where.BEHIND : Where.BEFORE,
              "([a-z]{3}_[A-Z][a-z]{3})",
              LanguageCodes.NLLB,
              "eng_Latn",
              config,
              root,
              vocabulary);
      case M2M_100 ->
          of(Where.BEFORE, "__([a-z]{2,3})__", List.of(), "en", config, root, vocabulary);
      case MARIAN -> marian(root, vocabulary, config);
      default -> NONE;
    };
  }

  private static Languages of(
      Where where,
      String pattern,
      Collection<String> known,
      String source,
      JsonNode config,
      JsonNode root,
      Vocabulary vocabulary) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    known.stream()
        .filter(code -> vocabulary.id(code) != null)
        .forEach(code -> ids.put(code, vocabulary.id(code)));
    Pattern spelt = Pattern.compile(pattern);
    for (JsonNode added : root.path("added_tokens")) {
      Matcher matcher = spelt.matcher(added.path("content").asText());
      if (matcher.matches()) {
        ids.put(matcher.group(1), added.path("id").intValue());
      }
    }
    String named = config.path("src_lang").asText(null);
    return new Languages(where, ids, named == null ? source : named, end(config, vocabulary));
  }

  private static Languages marian(JsonNode root, Vocabulary vocabulary, JsonNode config) {
    Map<String, Integer> ids = new LinkedHashMap<>();
    root.path("model")
        .path("vocab")
        .fieldNames()
        .forEachRemaining(
            token -> {
              if (token.length() > 4 && token.startsWith(">>") && token.endsWith("<<")) {
                ids.put(token.substring(2, token.length() - 2), vocabulary.id(token));
              }
            });
    return ids.isEmpty()
        ? NONE
        : new Languages(Where.TARGET_BEFORE, ids, null, end(config, vocabulary));
  }

  private static OptionalInt end(JsonNode config, Vocabulary vocabulary) {
    Integer id = vocabulary.id(LegacyTokenizers.content(config, "eos_token", "</s>"));
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** {@return how they are named, in the order of their tokens; empty where tokens name none} */
  public List<String> codes() {
    return ids.entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** {@return whether the source's language is told to the model; else only the target's is} */
  public boolean ofSource() {
    return where == Where.BEFORE || where == Where.BEHIND;
  }

  /** {@return the language that a source is in where nobody says; null where it is not told} */
  public String defaultSource() {
    return defaultSource;
  }

  /**
   * {@return the ids of a source with its language, or the target's, and its end [text.length + 2]}
   *
   * @param text its tokens, without special ones [length]
   * @param source its language; null for {@link #defaultSource}; not looked at unless {@link
   *     #ofSource}
   * @param target the language to write; looked at where the source's is not told
   * @throws IllegalArgumentException where there is no such language
   * @throws IllegalStateException where tokens name no languages, or none ends a text
   */
  public long[] source(long[] text, String source, String target) {
    int language =
        switch (where) {
          case NOWHERE -> throw new IllegalStateException("the tokenizer has no languages");
          case BEFORE, BEHIND -> id("source", source == null ? defaultSource : source);
          case TARGET_BEFORE -> id("target", target);
        };
    int last =
        end.orElseThrow(
            () -> new IllegalStateException("the tokenizer has no token that ends a text"));
    long[] all = new long[text.length + 2];
    boolean behind = where == Where.BEHIND;
    System.arraycopy(text, 0, all, behind ? 0 : 1, text.length);
    all[behind ? text.length + 1 : 0] = language;
    all[behind ? text.length : text.length + 1] = last;
    return all;
  }

  /**
   * {@return the token that a text in {@code target} is made to begin with; empty for models to
   * which the source tells it}
   *
   * @param target the language to write
   * @throws IllegalArgumentException where there is no such language
   */
  public OptionalInt forcedBosTokenId(String target) {
    int id = id("target", target);
    return ofSource() ? OptionalInt.of(id) : OptionalInt.empty();
  }

  /**
   * The code of a language by another spelling of it, with or without what Marian's and M2M-100's
   * tokens have around it.
   */
  private int id(String what, String code) {
    String bare = code == null ? null : code.replaceFirst("^(?:>>|__)(.+)(?:<<|__)$", "$1");
    Integer id = bare == null ? null : ids.get(bare);
    if (id != null) {
      return id;
    }
    throw new IllegalArgumentException(
        code == null
            ? "the %s language is missing; the model's %s".formatted(what, some(""))
            : "the %s language '%s' is none of the model's %s".formatted(what, code, some(bare)));
  }

  /** The number of languages, and a few, those first that begin as {@code code} does. */
  private String some(String code) {
    String start = code.substring(0, Math.min(2, code.length()));
    List<String> few =
        codes().stream()
            .sorted(Comparator.comparing((String each) -> !each.startsWith(start)))
            .limit(8)
            .toList();
    return "%d: %s%s"
        .formatted(ids.size(), String.join(", ", few), ids.size() > few.size() ? ", ..." : "");
  }
}
