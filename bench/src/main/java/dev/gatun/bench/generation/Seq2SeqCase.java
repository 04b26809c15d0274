package dev.gatun.bench.generation;

import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A case of the suite {@code seq2seq}: {@code t5-base/WORK}. The work is {@code encoder}, the
 * encoder alone; {@code greedy}, a text behind each source; or {@code beams-4}, the best of as many
 * beams. All have {@link #SOURCES} sources of {@link #SOURCE_TOKENS} tokens and texts of {@link
 * #TOKENS}.
 *
 * @param beams of a text; 0 for the encoder alone
 */
public record Seq2SeqCase(int beams) {
  /** Where the model lies. */
  public static final Path FOLDER = Path.of("bench/target/seq2seq");

  static final int SOURCES = 8;
  static final int SOURCE_TOKENS = 128;
  static final int TOKENS = 64;

  private static final String PREFIX = "t5-base/";
  private static final long SEED = 19;

  /** Whether this is a case's name. */
  public static boolean isName(String name) {
    return name.startsWith(PREFIX);
  }

  /** The case of a name. */
  public static Seq2SeqCase of(String name) {
    String work = name.substring(PREFIX.length());
    return new Seq2SeqCase(
        switch (work) {
          case "encoder" -> 0;
          case "greedy" -> 1;
          default -> Integer.parseInt(work.substring("beams-".length()));
        });
  }

  boolean ofEncoder() {
    return beams == 0;
  }

  /** [sources][tokens], the same for all contenders. */
  long[][] sources() {
    Random random = new Random(SEED);
    return IntStream.range(0, SOURCES)
        .mapToObj(_ -> random.longs(SOURCE_TOKENS, 2, RandomT5.VOCABULARY).toArray())
        .toArray(long[][]::new);
  }

  /** Ids as numbers whose cosine is that of equal ones for these alone. */
  static float[] numbers(long[][] texts) {
    float[] numbers = new float[texts.length * TOKENS];
    for (int i = 0; i < numbers.length; i++) {
      long id = texts[i / TOKENS][i % TOKENS];
      numbers[i] = new Random(id * numbers.length + i).nextFloat() - 0.5f;
    }
    return numbers;
  }
}
