package dev.gatun.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model's tokenizer. Safe for use by several threads. Any Java string is accepted: surrogates
 * without a partner are read as U+FFFD. Nothing is cut or padded unless the {@link EncodeOptions}
 * say so, whatever the tokenizer's files say.
 */
public interface Tokenizer extends AutoCloseable {

  /**
   * Reads a {@code tokenizer.json}, or the tokenizer of a model directory: {@code tokenizer.json},
   * else {@code vocab.txt} (BERT), else {@code vocab.json} with {@code merges.txt} (RoBERTa,
   * GPT-2), else a SentencePiece model, {@code source.spm} with {@code target.spm} and {@code
   * vocab.json} (Marian), {@code spiece.model} (T5, Pegasus), {@code sentencepiece.bpe.model}
   * (mBART, NLLB, M2M-100 with {@code vocab.json}, XLM-RoBERTa) or {@code tokenizer.model} (LLaMA),
   * by the rules of what {@code tokenizer_class} or {@code model_type} names; and the tokens of
   * {@code added_tokens.json}; with {@code tokenizer_config.json} and {@code
   * special_tokens_map.json} beside them. A SentencePiece file alone gives its pieces by their own
   * ids. Or that of a GGUF file: no text is matched with one of its control tokens, though
   * WordPiece and byte-level BPE may make one of a word that is spelt like it.
   *
   * @param directoryOrTokenizerJson a model's directory, or a {@code tokenizer.json}, a
   *     SentencePiece model or a GGUF file
   * @return the tokenizer, which the caller closes
   * @throws IOException if a file cannot be read
   * @throws TokenizerException if there is no tokenizer, if a file is damaged, or if nothing here
   *     runs tokenizers: {@value TokenizerProvider#DEPENDENCY} does
   */
  static Tokenizer load(Path directoryOrTokenizerJson) throws IOException {
    return load(directoryOrTokenizerJson, false);
  }

  /**
   * The same for a model whose texts are made lower case first, as sentence-transformers' {@code
   * do_lower_case} asks.
   *
   * @param directoryOrTokenizerJson a model's directory, or a {@code tokenizer.json}, a
   *     SentencePiece model or a GGUF file
   * @param lowerCase whether texts are made lower case before anything else
   * @return the tokenizer, which the caller closes
   * @throws IOException if a file cannot be read
   * @throws TokenizerException as for {@link #load(Path)}; also if {@code lowerCase} is asked of a
   *     SentencePiece model, which says itself what it does
   */
  static Tokenizer load(Path directoryOrTokenizerJson, boolean lowerCase) throws IOException {
    return FileTokenizer.create(TokenizerFiles.read(directoryOrTokenizerJson, lowerCase));
  }

  /**
   * {@return the name of the file in a model's directory that {@link #load(Path)} begins with;
   * empty for none}
   *
   * @param directory of the model
   */
  static Optional<String> fileIn(Path directory) {
    return TokenizerFiles.first(directory);
  }

  /**
   * {@return the tokens of a text with {@link EncodeOptions#DEFAULT}: all, with special tokens}
   *
   * @param text any Java string
   */
  default Encoding encode(String text) {
    return encode(text, EncodeOptions.DEFAULT);
  }

  /**
   * {@return the tokens of a pair of texts with {@link EncodeOptions#DEFAULT}: all, with special
   * tokens}
   *
   * @param text the first text
   * @param pair the second text
   */
  default Encoding encode(String text, String pair) {
    return encode(text, pair, EncodeOptions.DEFAULT);
  }

  /**
   * {@return the tokens of a text}
   *
   * @param text any Java string
   * @param options whether special tokens are added, and how long an encoding may be
   * @throws TokenizerException if it does not fit and {@code options} ask for an error, or if not
   *     even the special tokens fit
   */
  Encoding encode(String text, EncodeOptions options);

  /**
   * {@return the tokens of a text that a model is to write, as {@link #encode(String,
   * EncodeOptions)}} Marian's models have {@code target.spm} for these, all others the rules of
   * what they read.
   *
   * @param text any Java string
   * @param options whether special tokens are added, and how long an encoding may be
   * @throws TokenizerException if it does not fit and {@code options} ask for an error, or if not
   *     even the special tokens fit
   */
  default Encoding encodeTarget(String text, EncodeOptions options) {
    return encode(text, options);
  }

  /**
   * {@return the first {@code maxLength} tokens of a text} They are those of {@link #encode(String,
   * EncodeOptions)} with {@code TRUNCATE}, without reading all of a text that is far longer, where
   * the tokenizer is of a kind that makes the tokens of a word whatever follows. {@code
   * droppedTokens} counts those that were read.
   *
   * @param text any Java string
   * @param options whether special tokens are added, and how long an encoding may be; {@code
   *     overflow} is not looked at
   * @throws TokenizerException if not even the special tokens fit
   */
  default Encoding encodeStart(String text, EncodeOptions options) {
    return encode(text, options.withOverflow(EncodeOptions.Overflow.TRUNCATE));
  }

  /**
   * {@return what a model reads of the tokens of a text} They are those of {@link #encode(String,
   * EncodeOptions)}, and where {@code options} cut a text those of {@link #encodeStart}; a short
   * text takes less time so.
   *
   * @param text any Java string
   * @param options whether special tokens are added, and how long an encoding may be
   * @throws TokenizerException as for {@link #encode(String, EncodeOptions)}
   */
  default InputIds inputIds(String text, EncodeOptions options) {
    return InputIds.of(
        options.overflow() == EncodeOptions.Overflow.TRUNCATE
            ? encodeStart(text, options)
            : encode(text, options));
  }

  /**
   * {@return the tokens of a pair of texts, as for {@link #encode(String, EncodeOptions)}}
   *
   * @param text the first text
   * @param pair the second text
   * @param options whether special tokens are added, how long an encoding may be, and which text is
   *     cut
   * @throws TokenizerException also if the one text that may be cut is too short to make the pair
   *     fit
   */
  Encoding encode(String text, String pair, EncodeOptions options);

  /**
   * {@return the tokens of each text, in order}
   *
   * @param texts any number of them
   * @param options the same for each, as for {@link #encode(String, EncodeOptions)}
   * @throws TokenizerException as for {@link #encode(String, EncodeOptions)}
   */
  default List<Encoding> encodeAll(List<String> texts, EncodeOptions options) {
    List<Encoding> encodings = new ArrayList<>(texts.size());
    for (String text : texts) {
      encodings.add(encode(text, options));
    }
    return encodings;
  }

  /**
   * {@return the tokens of a text in windows of at most {@code maxLength} tokens} Each has its
   * special tokens, and shares {@code stride} tokens with its neighbours; there is one window if
   * all fits. {@code overflow} is not looked at.
   *
   * @param text any Java string
   * @param options the length of windows, and what they share
   * @throws TokenizerException if not even the special tokens fit
   * @throws IllegalArgumentException if {@code stride} is not less than the tokens of text in a
   *     window
   */
  List<Encoding> encodeWindows(String text, EncodeOptions options);

  /**
   * {@return the windows of a pair: the text that {@code pairTruncation} names is cut into windows,
   * the other is in each}
   *
   * @param text the first text
   * @param pair the second text
   * @param options the length of windows, what they share, and which text is cut
   * @throws TokenizerException as for {@link #encodeWindows(String, EncodeOptions)}, and if the
   *     other text leaves no room
   * @throws IllegalArgumentException if {@code pairTruncation} is LONGEST_FIRST, or {@code stride}
   *     is not less than the tokens of the cut text in a window
   */
  List<Encoding> encodeWindows(String text, String pair, EncodeOptions options);

  /**
   * {@return the text of tokens}
   *
   * @param ids of the vocabulary [length]
   * @param skipSpecialTokens whether special tokens are left out
   * @throws IllegalArgumentException if an id is not in the vocabulary
   */
  String decode(long[] ids, boolean skipSpecialTokens);

  /**
   * {@return what decodes ids that come one after the other}
   *
   * @param skipSpecialTokens whether special tokens are left out
   */
  default DecodeStream decodeStream(boolean skipSpecialTokens) {
    return new DecodeStream(this, skipSpecialTokens);
  }

  /** {@return the number of tokens, added ones included} */
  int vocabSize();

  /**
   * {@return the id of a token; empty where the vocabulary lacks it}
   *
   * @param token spelt as in the vocabulary
   */
  OptionalInt tokenToId(String token);

  /**
   * {@return the token with {@code id}, as the vocabulary spells it; empty where there is none}
   *
   * @param id any number
   */
  Optional<String> idToToken(long id);

  /** {@return the tokens that have a role} */
  SpecialTokens specialTokens();

  /** {@return the tokens that steer the model, those with a role among them} */
  ControlTokens controlTokens();

  /**
   * {@return the bytes that each token adds to a text}
   *
   * @throws TokenizerException where they depend on a token's neighbours, as WordPiece's do
   */
  default TokenBytes tokenBytes() {
    throw new TokenizerException("the bytes of the tokens are not known");
  }

  /** {@return the languages that a model reads and writes; none where tokens do not tell} */
  default Languages languages() {
    return Languages.NONE;
  }

  /**
   * {@return the {@code model_max_length} of {@code tokenizer_config.json}; empty if absent or
   * without meaning (1e30)}
   */
  OptionalInt modelMaxLength();

  /** Frees native memory. Later calls that need it throw IllegalStateException. */
  @Override
  void close();
}
