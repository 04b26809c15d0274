package dev.gatun.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where a text may be cut so that the tokens before the cut are those of the whole text. A
 * tokenizer that splits words at white space makes each word's tokens without a look at the next
 * one, so that a space between letters is such a place. One of BERT's kind splits at punctuation
 * and ideographs too, and makes the unknown token of a word that is too long, however long it is. A
 * byte-level one by GPT-2's pattern splits between letters, digits and what is neither.
 */
final class TextStart {
  /** Those that split at white space whatever stands around it. */
  private static final Set<String> SPLITTERS =
      Set.of("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Metaspace", "ByteLevel");

  /** Those that look at no more than a character and the marks on it. */
  private static final Set<String> LOCAL =
      Set.of(
          "BertNormalizer",
          "Lowercase",
          "NFC",
          "NFD",
          "NFKC",
          "NFKD",
          "Nmt",
          "Precompiled",
          "Prepend",
          "Strip",
          "StripAccents");

  private static final Pattern SPACE_INSIDE = Pattern.compile("\\S\\s");
  private static final String PUNCTUATION = ",.;:!?";
  private static final String WORD =
      "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  private static final int LONG_WORD = 1000;
  private static final int LONG_SPACE = 2;
  private static final int OTHER = 2;

  /**
   * The beginning of a text.
   *
   * @param text its characters, those of words of no use left out
   * @param places where characters were left out of it, in ascending order
   * @param skipped how many there
   * @param all whether the text ends where it ends
   */
  record Start(String text, int[] places, int[] skipped, boolean all) {

    /** The index in the text that it begins, of an index in it. */
    int original(int index) {
      int sum = index;
      for (int i = 0; i < places.length && places[i] <= index; i++) {
        sum += skipped[i];
      }
      return sum;
    }
  }

  private final boolean safe;
  private final boolean bert;
  // Of BERT's kind down to the normalizer, which looks at single characters.
  private final boolean plainBert;
  private final boolean stripsAccents;
  private final boolean bytes;
  private final String punctuation;
  // What stands in added tokens behind their first character: no place to cut before.
  private final String insideAdded;
  // The last characters of added tokens that take the white space behind them.
  private final String takesSpace;

  /** What a tokenizer.json says of it. */
  TextStart(JsonNode root) {
    List<JsonNode> splitters = flat(root.path("pre_tokenizer"), "pretokenizers");
    boolean known = !splitters.isEmpty() && splits(splitters.getFirst());
    List<JsonNode> normalizers = flat(root.path("normalizer"), "normalizers");
    for (JsonNode normalizer : normalizers) {
      known &= local(normalizer);
    }
    StringBuilder added = new StringBuilder();
    StringBuilder inside = new StringBuilder();
    StringBuilder last = new StringBuilder();
    for (JsonNode token : root.path("added_tokens")) {
      String content = token.path("content").asText();
      known &= !SPACE_INSIDE.matcher(content).find();
      added.append(content);
      inside.append(content, Math.min(1, content.length()), content.length());
      if (token.path("rstrip").asBoolean(false) && !content.isEmpty()) {
        last.append(content.charAt(content.length() - 1));
      }
      if (token.path("single_word").asBoolean(false)) {
        inside.append(WORD);
      }
    }
    this.insideAdded = inside.toString();
    this.takesSpace = last.toString();
    this.safe = known;
    JsonNode model = root.path("model");
    this.bert =
        known
            && type(splitters.getFirst()).equals("BertPreTokenizer")
            && type(model).equals("WordPiece")
            && model.path("max_input_chars_per_word").asInt(100) < LONG_WORD / 2;
    this.plainBert =
        bert && normalizers.size() == 1 && type(normalizers.getFirst()).equals("BertNormalizer");
    this.stripsAccents = plainBert && stripsAccents(normalizers.getFirst());
    this.bytes =
        known
            && type(splitters.getFirst()).equals("ByteLevel")
            && normalizers.stream().noneMatch(each -> type(each).equals("Replace"));
    StringBuilder usable = new StringBuilder();
    for (char c : PUNCTUATION.toCharArray()) {
      if (added.indexOf(String.valueOf(c)) < 0) {
        usable.append(c);
      }
    }
    this.punctuation = usable.toString();
  }

  /** Where it does not say so, it does as for letters' case. */
  private static boolean stripsAccents(JsonNode normalizer) {
    return normalizer.path("strip_accents").asBoolean(normalizer.path("lowercase").asBoolean(true));
  }

  private static List<JsonNode> flat(JsonNode node, String parts) {
    List<JsonNode> all = new ArrayList<>();
    if (type(node).equals("Sequence")) {
      node.path(parts).forEach(inner -> all.addAll(flat(inner, parts)));
    } else if (node.isObject()) {
      all.add(node);
    }
    return all;
  }

  private static String type(JsonNode node) {
    return node.path("type").asText("");
  }

  private static boolean splits(JsonNode node) {
    return SPLITTERS.contains(type(node))
        && node.path("split").asBoolean(true)
        && node.path("use_regex").asBoolean(true);
  }

  private static boolean local(JsonNode node) {
    if (!type(node).equals("Replace")) {
      return LOCAL.contains(type(node));
    }
    JsonNode pattern = node.path("pattern");
    return pattern.has("String")
        ? !SPACE_INSIDE.matcher(pattern.path("String").asText()).find()
        : pattern.path("Regex").asText().equals(" {2,}");
  }

  /**
   * The beginning of {@code text}, which is longer, in about {@code chars} characters, or null
   * where no cut is known to be without consequences.
   */
  Start of(String text, int chars) {
    if (!safe) {
      return null;
    }
    Start start = bert ? shortened(text, chars) : plain(text, chars);
    if (start.all) {
      return start;
    }
    String part = start.text;
    for (int at = part.length() - 2; at > 0; at--) {
      if (cuts(part, at)) {
        return new Start(part.substring(0, at), start.places, start.skipped, false);
      }
    }
    return null;
  }

  private static Start plain(String text, int chars) {
    return new Start(text.substring(0, chars), new int[0], new int[0], false);
  }

  /** Leaves out of long words what does not change that they are too long, and of white space. */
  private Start shortened(String text, int chars) {
    StringBuilder part = new StringBuilder(chars);
    List<Integer> places = new ArrayList<>();
    List<Integer> skipped = new ArrayList<>();
    int letters = 0;
    int spaces = 0;
    int afterBase = 0;
    int sourceAfterBase = 0;
    int at = 0;
    while (at < text.length() && part.length() < chars) {
      int point = text.codePointAt(at);
      spaces = plainBert && BertWords.space(point) ? spaces + 1 : 0;
      if (spaces > LONG_SPACE) {
        int to = endOfSpace(text, at);
        places.add(part.length());
        skipped.add(to - at);
        at = to;
        continue;
      }
      if (!inside(point)) {
        letters = 0;
      } else if (letters >= LONG_WORD && base(point)) {
        int to = endOfWord(text, at);
        // Marks on the last letter that stays go with the others, for tokens end before such marks.
        part.setLength(afterBase);
        places.add(afterBase);
        skipped.add(to - sourceAfterBase);
        at = to;
        continue;
      } else if (plainBert ? BertWords.counts(point) : base(point) && point < 0x2000) {
        letters++;
      }
      part.appendCodePoint(point);
      at += Character.charCount(point);
      if (base(point)) {
        afterBase = part.length();
        sourceAfterBase = at;
      }
    }
    return new Start(
        part.toString(),
        places.stream().mapToInt(Integer::intValue).toArray(),
        skipped.stream().mapToInt(Integer::intValue).toArray(),
        at == text.length());
  }

  private static int endOfSpace(String text, int from) {
    int end = from;
    while (end < text.length() && BertWords.space(text.charAt(end))) {
      end++;
    }
    return end;
  }

  /** After the last letter: marks behind it are not in its token. */
  private int endOfWord(String text, int from) {
    int end = from;
    for (int at = from; at < text.length(); ) {
      int point = text.codePointAt(at);
      if (!inside(point)) {
        break;
      }
      at += Character.charCount(point);
      end = base(point) ? at : end;
    }
    return end;
  }

  private boolean base(int point) {
    return plainBert
        ? BertWords.base(point)
        : Character.isLetterOrDigit(point) && !Character.isIdeographic(point);
  }

  /** Neither white space nor punctuation nor an ideograph, which BERT's are words alone. */
  private boolean inside(int point) {
    return plainBert
        ? BertWords.inside(point)
        : base(point)
            || (Character.getType(point) == Character.NON_SPACING_MARK
                && !Character.isIdeographic(point));
  }

  private boolean cuts(String text, int at) {
    char here = text.charAt(at);
    char before = text.charAt(at - 1);
    if (here == ' ' || ((bert || bytes) && here == '\n')) {
      return (Character.isLetterOrDigit(before) && Character.isLetterOrDigit(text.charAt(at + 1)))
          || ((plainBert || bytes) && ends(text.codePointBefore(at)));
    }
    char bare = stripsAccents ? BertWords.bare(here) : here;
    if (plainBert && BertWords.alone(bare)) {
      return insideAdded.indexOf(here) < 0 && insideAdded.indexOf(bare) < 0;
    }
    if (bytes && asciiKind(before) < OTHER && asciiKind(here) != asciiKind(before)) {
      return here > ' ' && here < 0x7F && here != '\'' && insideAdded.indexOf(here) < 0;
    }
    return bert
        && ((ideograph(here) && ideograph(before))
            || (punctuation.indexOf(here) >= 0 && Character.isLetterOrDigit(before)));
  }

  /** Whether white space behind a character is never taken with it. */
  private boolean ends(int before) {
    return takesSpace.indexOf(before) < 0
        && ((before > ' ' && before < 0x7F) || (plainBert && BertWords.base(before)));
  }

  /** Letters and digits are apart to byte-level tokenizers. */
  private static int asciiKind(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      return 0;
    }
    return c >= '0' && c <= '9' ? 1 : OTHER;
  }

  private static boolean ideograph(char c) {
    return c >= 0x4E00 && c <= 0x9FFF;
  }
}
