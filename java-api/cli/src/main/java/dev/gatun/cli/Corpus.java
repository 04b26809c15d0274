package dev.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Reads texts, splits them, embeds what the index does not have, and ranks all of it. Texts are
 * read while they are embedded: of a text no more is held than the passages of a batch.
 */
final class Corpus {
  private static final long RACY = TimeUnit.SECONDS.toMillis(2);
  private static final long UNTRUSTED = -1;

  /** Passages are embedded once they have that many tokens; an interruption loses no more. */
  private static final int BATCH_TOKENS = 1 << 14;

  /** A text that is being read. */
  private static final class Text {
    private final int number;
    private final String name;
    private final IndexedFile file;
    private final List<TokenizedPassage> waiting = new ArrayList<>();
    private int offered;
    private boolean begun;
    private boolean read;

    private Text(int number, String name, IndexedFile file) {
      this.number = number;
      this.name = name;
      this.file = file;
    }
  }

  private final Embedder embedder;
  private final EmbeddingIndex index;
  private final Ranking ranking;
  private final Consumer<String> warnings;
  private final PassageSplitter splitter;
  private final Progress progress;
  private final Deque<Text> open = new ArrayDeque<>();
  private int waitingTokens;
  private int files;
  private int malformed;
  private int embedded;
  private int passages;

  /**
   * A corpus without texts.
   *
   * @param index what is known already; null when nothing is kept
   * @param ranking is offered every passage
   * @param progress is told of the bytes that are done
   */
  Corpus(
      Embedder embedder,
      EmbeddingIndex index,
      Ranking ranking,
      Progress progress,
      Consumer<String> warnings) {
    this.embedder = embedder;
    this.index = index;
    this.ranking = ranking;
    this.progress = progress;
    this.warnings = warnings;
    this.splitter = new PassageSplitter(embedder::tokens, embedder.limit());
  }

  /** Adds a text that is not a file's. */
  void addText(String name, Reader text) throws IOException {
    read(new Text(files++, name, null), text, 0);
  }

  /** Adds a file: from the index when it has not changed. */
  void addFile(TextFiles.Found found) {
    Path path = found.path();
    try {
      EmbeddingIndex.Kept kept = index == null ? null : index.get(path);
      long size = Files.size(path);
      long modified = Files.getLastModifiedTime(path).toMillis();
      if (kept != null
          && kept.complete()
          && kept.file().size() == size
          && kept.file().modified() == modified) {
        addKept(path, kept);
        progress.step(size);
        return;
      }
      MessageDigest sha256 = Digests.sha256();
      long bytes = check(path, sha256);
      String digest = Digests.hex(sha256.digest());
      boolean settled = bytes == size && System.currentTimeMillis() - modified > RACY;
      long stamp = settled ? modified : UNTRUSTED;
      IndexedFile file = new IndexedFile(EmbeddingIndex.key(path), bytes, stamp, digest);
      boolean same = kept != null && kept.file().digest().equals(digest);
      if (same && kept.file().modified() != stamp) {
        index.stamp(file, stamp);
      }
      if (same && kept.complete()) {
        addKept(path, kept);
        progress.step(bytes);
        return;
      }
      Text text = new Text(files++, path.toString(), file);
      if (same) {
        offer(text, kept);
      }
      try (Utf8Reader reader = new Utf8Reader(path.toString(), Files.newInputStream(path))) {
        read(text, reader, text.offered);
      }
    } catch (IOException e) {
      refuse(found, e);
    }
  }

  /** Looks through a file before any of it is embedded: whether it is text; how many bytes. */
  private static long check(Path path, MessageDigest digest) throws IOException {
    TextFiles.check(path);
    try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest);
        Utf8Reader reader = new Utf8Reader(path.toString(), in)) {
      char[] part = new char[1 << 16];
      while (reader.read(part) >= 0) {
        // All is checked by reading it.
      }
      return reader.offset();
    }
  }

  /** Splits a text; the first {@code known} passages are in the index. */
  private void read(Text text, Reader reader, int known) throws IOException {
    open.add(text);
    int[] number = {0};
    long[] told = {0};
    try {
      splitter.split(
          reader,
          passage -> {
            if (number[0]++ < known) {
              return;
            }
            text.waiting.add(passage);
            waitingTokens += passage.inputIds().length;
            if (waitingTokens >= BATCH_TOKENS) {
              embed();
            }
            if (reader instanceof Utf8Reader bytes) {
              progress.step(bytes.offset() - told[0]);
              told[0] = bytes.offset();
            }
          });
      text.read = true;
    } catch (IOException e) {
      open.remove(text);
      throw e;
    }
  }

  /** Embeds what waits, ranks it, and puts it into the index. */
  private void embed() {
    List<TokenizedPassage> batch = new ArrayList<>();
    open.forEach(text -> batch.addAll(text.waiting));
    float[][] vectors = batch.isEmpty() ? new float[0][] : embedder.embed(batch, _ -> {});
    int next = 0;
    for (Text text : open) {
      List<EmbeddedPassage> made = new ArrayList<>();
      for (TokenizedPassage each : text.waiting) {
        made.add(new EmbeddedPassage(each.passage(), vectors[next++]));
      }
      text.waiting.clear();
      keep(text, made);
      made.forEach(each -> offer(text, each));
    }
    open.removeIf(text -> text.read);
    embedded += batch.size();
    waitingTokens = 0;
  }

  private void keep(Text text, List<EmbeddedPassage> made) {
    if (index == null || text.file == null) {
      return;
    }
    if (text.offered == 0 && !text.begun) {
      index.begin(text.file);
    } else {
      index.goOn(text.file);
    }
    text.begun = true;
    if (!made.isEmpty()) {
      index.add(made);
    }
    if (text.read) {
      index.complete();
    }
  }

  /** Embeds what is left, after the last text. */
  void finish() {
    embed();
    if (index != null) {
      index.compact();
    }
  }

  /** How many texts there are. */
  int files() {
    return files;
  }

  /** How many files of a directory were passed by as not UTF-8 or not readable. */
  int malformed() {
    return malformed;
  }

  /** How many passages the texts have. */
  int passages() {
    return passages;
  }

  /** How many of them went through the model. */
  int embedded() {
    return embedded;
  }

  private void addKept(Path path, EmbeddingIndex.Kept kept) {
    offer(new Text(files++, path.toString(), kept.file()), kept);
  }

  private void offer(Text text, EmbeddingIndex.Kept kept) {
    index.passages(kept, each -> offer(text, each));
  }

  private void offer(Text text, EmbeddedPassage each) {
    ranking.offer(new Hit.Place(text.number, text.name, text.offered++), each);
    passages++;
  }

  private void refuse(TextFiles.Found found, IOException problem) {
    if (index != null) {
      index.remove(found.path());
    }
    String message =
        problem.getMessage() != null && problem.getMessage().startsWith(found.path().toString())
            ? problem.getMessage()
            : found.path() + ": " + Gatun.told(problem);
    if (found.named()) {
      throw new CliException(message, problem);
    }
    malformed++;
    warnings.accept(message + ", skipped");
  }
}
