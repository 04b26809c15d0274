package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.text.SentencePieceProcessor.Part;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Runs SentencePiece models by SentencePiece's own rules, with a vocabulary that gives their pieces
 * ids, for tokenizers that Hugging Face runs that way too: a text is cut at added tokens, each part
 * becomes pieces, and what the vocabulary lacks is the unknown token.
 */
final class SentencePieceEngine implements TokenizerEngine {
  private static final String SPACE = "\u2581";

  /**
   * How texts are framed and what their pieces mean.
   *
   * @param reads makes pieces of texts
   * @param writes makes texts of pieces
   * @param vocabulary the ids of what is read
   * @param written the tokens of ids that are decoded
   * @param unk the id of what the vocabulary lacks
   * @param before ids that are put before a text
   * @param after ids that are put behind it
   * @param style what else is done
   */
  record Settings(
      SentencePieceProcessor reads,
      SentencePieceProcessor writes,
      Vocabulary vocabulary,
      Vocabulary written,
      int unk,
      List<Integer> before,
      List<Integer> after,
      Style style) {}

  /** What a family does besides. */
  enum Style {
    /** A text may begin with a language, {@code >>fra<<}; a space stands behind a special token. */
    MARIAN,
    /** The text is stripped of spaces. */
    M2M_100,
    /** Each text of a pair is framed. */
    FRAMED_PAIRS,
    /** Nothing. */
    PLAIN
  }

  private record Added(int id, boolean special, boolean stripsBefore, boolean stripsAfter) {}

  private final Settings settings;
  // What spells targets; null where that is this one.
  private final SentencePieceEngine targets;
  private final Map<String, Added> added = new HashMap<>();
  private final SentencePiecePrefixes prefixes;
  private final Set<Integer> special = new HashSet<>();
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  /**
   * @param tokens the {@code added_tokens} of a tokenizer.json
   */
  SentencePieceEngine(Settings settings, JsonNode tokens) {
    this(settings, tokens, (SentencePieceEngine) null);
  }

  /**
   * @param tokens the {@code added_tokens} of a tokenizer.json
   * @param control ids of special tokens that no text becomes
   */
  SentencePieceEngine(Settings settings, JsonNode tokens, Set<Integer> control) {
    this(settings, tokens);
    special.addAll(control);
  }

  /**
   * @param tokens the {@code added_tokens} of a tokenizer.json
   * @param targets spells what is to be written; null for this one
   */
  SentencePieceEngine(Settings settings, JsonNode tokens, SentencePieceEngine targets) {
    this.settings = settings;
    this.targets = targets;
    for (JsonNode token : tokens) {
      Added one =
          new Added(
              token.path("id").intValue(),
              token.path("special").asBoolean(false),
              token.path("lstrip").asBoolean(false),
              token.path("rstrip").asBoolean(false));
      added.put(token.path("content").asText(), one);
      if (one.special) {
        special.add(one.id);
      }
    }
    this.prefixes = new SentencePiecePrefixes(added.keySet());
  }

  @Override
  public Encoding encode(String text, String pair, boolean addSpecialTokens) {
    lock.readLock().lock();
    try {
      check();
      Made made = new Made();
      if (addSpecialTokens) {
        settings.before.forEach(made::frame);
      }
      made.text(wellFormed(text), 0);
      if (pair != null) {
        if (addSpecialTokens && settings.style == Style.FRAMED_PAIRS) {
          settings.after.forEach(made::frame);
          settings.before.forEach(made::frame);
        }
        made.text(wellFormed(pair), 1);
      }
      if (addSpecialTokens) {
        settings.after.forEach(made::frame);
      }
      return made.encoding();
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public Encoding encodeTarget(String text, boolean addSpecialTokens) {
    if (targets == null) {
      return encode(text, null, addSpecialTokens);
    }
    lock.readLock().lock();
    try {
      check();
      return targets.encode(text, null, addSpecialTokens);
    } finally {
      lock.readLock().unlock();
    }
  }

  private void check() {
    if (closed) {
      throw new IllegalStateException("the tokenizer is closed");
    }
  }

  /** With U+FFFD for each surrogate that has no partner. */
  private static String wellFormed(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
  }

  private record Token(long id, String token, int begin, int end, int word, int sequence) {}

  private final class Made {
    private final List<Token> tokens = new ArrayList<>();
    private int word;

    void frame(int id) {
      tokens.add(new Token(id, settings.vocabulary.token(id), 0, 0, -1, -1));
    }

    void text(String text, int sequence) {
      word = -1;
      int from = 0;
      for (int at = 0; at < text.length(); ) {
        int length = prefixes.longestAt(text, at);
        if (length == 0) {
          at++;
          continue;
        }
        String content = text.substring(at, at + length);
        Added token = added.get(content);
        int end = at;
        while (token.stripsBefore && end > from && Character.isWhitespace(text.charAt(end - 1))) {
          end--;
        }
        part(text, from, end, sequence);
        tokens.add(new Token(token.id, content, at, at + length, ++word, sequence));
        at += length;
        while (token.stripsAfter && at < text.length() && Character.isWhitespace(text.charAt(at))) {
          at++;
        }
        from = at;
      }
      part(text, from, text.length(), sequence);
    }

    private void part(String text, int from, int to, int sequence) {
      int begin = from;
      if (settings.style == Style.MARIAN && text.startsWith(">>", from)) {
        int end = text.indexOf("<<", from + 2);
        if (end >= 0 && end + 2 <= to) {
          add(text.substring(from, end + 2), from, end + 2, sequence);
          begin = end + 2;
        }
      }
      if (begin < to) {
        for (Part each : settings.reads.encode(text.substring(begin, to))) {
          add(each.piece(), begin + each.begin(), begin + each.end(), sequence);
        }
      }
    }

    private void add(String piece, int begin, int end, int sequence) {
      Integer id = settings.vocabulary.id(piece);
      if (word < 0 || piece.startsWith(SPACE) || tokens.getLast().sequence < 0) {
        word++;
      }
      int known = id == null ? settings.unk : id;
      tokens.add(new Token(known, settings.vocabulary.token(known), begin, end, word, sequence));
    }

    Encoding encoding() {
      int n = tokens.size();
      String[] names = tokens.stream().map(Token::token).toArray(String[]::new);
      int[] sequences = tokens.stream().mapToInt(Token::sequence).toArray();
      boolean[] framed = new boolean[n];
      for (int i = 0; i < n; i++) {
        framed[i] = sequences[i] < 0;
      }
      return new Encoding(
          tokens.stream().mapToLong(Token::id).toArray(),
          new long[n],
          names,
          tokens.stream().mapToInt(Token::begin).toArray(),
          tokens.stream().mapToInt(Token::end).toArray(),
          tokens.stream().mapToInt(Token::word).toArray(),
          framed,
          sequences,
          false,
          0);
    }
  }

  @Override
  public String decode(long[] ids, boolean skipSpecialTokens) {
    lock.readLock().lock();
    try {
      check();
      StringBuilder text = new StringBuilder();
      List<String> pieces = new ArrayList<>();
      for (long id : ids) {
        if (!special.contains((int) id)) {
          pieces.add(settings.written.token(id));
        } else if (!skipSpecialTokens) {
          text.append(settings.writes.decode(pieces)).append(settings.written.token(id));
          text.append(settings.style == Style.MARIAN ? " " : "");
          pieces.clear();
        }
      }
      text.append(settings.writes.decode(pieces));
      return switch (settings.style) {
        case MARIAN -> text.toString().replace(SPACE, " ").strip();
        case M2M_100 -> text.toString().strip();
        case FRAMED_PAIRS, PLAIN -> text.toString();
      };
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
    } finally {
      lock.writeLock().unlock();
    }
  }
}
