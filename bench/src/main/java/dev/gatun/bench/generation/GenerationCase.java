package dev.gatun.bench.generation;

import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A case of the suite {@code generate}: {@code SHAPE/TYPE/WORK}. The work is {@code decode}, one
 * sequence's tokens one after the other; {@code decode-SEQUENCES}, of several at once; {@code
 * decode-at-LENGTH}, after as many tokens; {@code decode-by-PROCESSES}, each of one sequence; or
 * {@code prefill-LENGTH}, a prompt up to its first token, or {@code prefill-LENGTH-at-BEFORE}, of
 * one whose beginning is in the cache.
 *
 * @param shape of the model
 * @param type of its weights: bf16, int4 or int8, of which each peer has a file of its own kind; or
 *     a type of GGUF, of which both read the same file
 * @param prefill whether the time is that of the prompt
 * @param sequences at once
 * @param prompt tokens of each sequence's
 * @param before tokens before those, which are in the cache
 */
public record GenerationCase(
    DecoderShape shape, String type, boolean prefill, int sequences, int prompt, int before) {
  /** Where models and the peer lie. */
  static final Path FOLDER = Path.of("bench/target/generate");

  private static final String NAME =
      "(8b|1.1b|135m|empty)/(bf16|int4|int8|q4_0|q8_0|q4_k_m|q5_k|q6_k)/(decode|prefill).*";
  private static final int PROMPT = 32;
  private static final long LEAST_CACHED = 2048;

  /** Whether this is a case's name. */
  public static boolean isName(String name) {
    return name.matches(NAME);
  }

  /** The case of a name. */
  public static GenerationCase of(String name) {
    String[] parts = name.split("/");
    String[] places = parts[2].split("(?<=prefill-\\d{1,9})-at-");
    String work = places[0];
    int number = Integer.parseInt("0" + work.replaceAll("-by-\\d+|\\D", ""));
    boolean prefill = work.startsWith("prefill-");
    boolean after = prefill || work.startsWith("decode-at-");
    return new GenerationCase(
        DecoderShape.of(parts[0]),
        parts[1],
        prefill,
        after || number == 0 ? 1 : number,
        after ? number : PROMPT,
        places.length > 1 ? Integer.parseInt(places[1]) : 0);
  }

  /** Tokens that an iteration writes for each sequence, the first of which ends the prompt. */
  int written() {
    return prefill ? 1 : shape.isLarge() ? 17 : 33;
  }

  /** Tokens whose time an iteration takes. */
  int timed() {
    return prefill ? prompt : (written() - 1) * sequences;
  }

  /**
   * A prompt, behind what is before it.
   *
   * @param number others have other tokens; what is before them is the same
   */
  int[] prompt(long number) {
    return IntStream.concat(ids(-1).limit(before), ids(number).limit(prompt)).toArray();
  }

  private IntStream ids(long seed) {
    Random random = new Random(seed);
    return IntStream.generate(() -> random.nextInt(shape.vocab()));
  }

  /** Whether the model has next to nothing to compute. */
  public boolean isEmpty() {
    return shape == DecoderShape.EMPTY;
  }

  /** The multiplications and additions of a token's products. */
  public double operations() {
    double head = 2.0 * shape.vocab() * shape.hidden();
    // Of a prompt the last token alone has scores; its queries see half of the tokens on average.
    return prefill
        ? 2.0 * shape.multiplied() - head + attention(before + prompt / 2) + head / prompt
        : 2.0 * shape.multiplied() + attention(prompt + written() / 2);
  }

  private double attention(int keys) {
    return 4.0 * shape.layers() * shape.hidden() * keys;
  }

  /** The bytes that must be read for a token: its part of the weights, keys and values. */
  public double bytes() {
    double weights = shape.multiplied() * bits() / 8;
    double cache = 2.0 * shape.cached() * (prompt + written() / 2);
    // A prompt's queries share what they read of the cache.
    return prefill
        ? (weights + 2.0 * shape.cached() * before) / prompt
        : weights / sequences + cache;
  }

  /**
   * The bytes of a cache that holds twice the tokens of a turn, and {@value #LEAST_CACHED} at
   * least: prompts push each other out soon, as they do in a server that has run for a while.
   */
  long cacheBytes() {
    return 2
        * shape.cached()
        * Math.max(LEAST_CACHED, 2L * sequences * (before + prompt + written()));
  }

  private double bits() {
    return isGguf()
        ? RandomDecoder.bits(type)
        : type.equals("bf16") ? 16 : type.equals("int8") ? 8 : 4.5;
  }

  /** Whether both peers read the same GGUF file. */
  boolean isGguf() {
    return type.startsWith("q");
  }

  /** The ceiling of its operations. */
  public String ceiling() {
    return type.equals("bf16") ? "bf16" : "int8";
  }
}
