package dev.gatun.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Reads texts, splits them, and embeds what the index does not have. */
final class Corpus {
  private static final long RACY = TimeUnit.SECONDS.toMillis(2);
  private static final long UNTRUSTED = -1;

  /** What a Java array holds, as every virtual machine has it. */
  private static final long MOST_BYTES = Integer.MAX_VALUE - 8;

  private sealed interface Part {}

  private record Known(String file, IndexedFile kept) implements Part {}

  private record Pending(String file, IndexedFile stamp, List<TokenizedPassage> passages)
      implements Part {}

  private final Embedder embedder;
  private final EmbeddingIndex index;
  private final Terminal terminal;
  private final Consumer<String> warnings;
  private final PassageSplitter splitter;
  private final List<Part> parts = new ArrayList<>();
  private int malformed;
  private int embedded;

  /**
   * A corpus without texts.
   *
   * @param index what is known already; null when nothing is kept
   */
  Corpus(Embedder embedder, EmbeddingIndex index, Terminal terminal, Consumer<String> warnings) {
    this.embedder = embedder;
    this.index = index;
    this.terminal = terminal;
    this.warnings = warnings;
    this.splitter = new PassageSplitter(embedder::tokens, embedder.limit());
  }

  /** Adds a text that is not a file's. */
  void addText(String name, String text) {
    parts.add(new Pending(name, null, splitter.split(text)));
  }

  /** Adds a file: from the index when it has not changed. */
  void addFile(TextFiles.Found found) {
    Path path = found.path();
    try {
      IndexedFile kept = index == null ? null : index.get(path);
      long size = Files.size(path);
      long modified = Files.getLastModifiedTime(path).toMillis();
      if (kept != null && kept.size() == size && kept.modified() == modified) {
        addKept(path, kept);
        return;
      }
      if (size > MOST_BYTES) {
        throw new IOException(
            "%s: has %d bytes, a file of more than %d is not read: split it"
                .formatted(path, size, MOST_BYTES));
      }
      byte[] bytes = Files.readAllBytes(path);
      String digest = Digests.hex(Digests.sha256(bytes));
      boolean settled = bytes.length == size && System.currentTimeMillis() - modified > RACY;
      long stamp = settled ? modified : UNTRUSTED;
      if (kept != null && kept.digest().equals(digest)) {
        if (kept.modified() != stamp) {
          index.put(kept.withModified(stamp));
        }
        addKept(path, kept);
        return;
      }
      String text = text(path, bytes);
      IndexedFile entry =
          new IndexedFile(EmbeddingIndex.key(path), bytes.length, stamp, digest, List.of());
      parts.add(new Pending(path.toString(), entry, splitter.split(text)));
    } catch (IOException e) {
      refuse(found, e);
    } catch (OutOfMemoryError e) {
      String said =
          "%s: too long for a heap of %d MB: give it more (GATUN_OPTS=-Xmx8g), or split the file";
      refuse(
          found, new IOException(said.formatted(path, Runtime.getRuntime().maxMemory() >> 20), e));
    }
  }

  /** All passages with their vectors, in the order added. */
  List<Located> embed() {
    List<TokenizedPassage> unseen = new ArrayList<>();
    for (Part part : parts) {
      if (part instanceof Pending pending) {
        unseen.addAll(pending.passages);
      }
    }
    embedded = unseen.size();
    float[][] vectors;
    try (Progress progress = new Progress("Embedding", embedded, terminal)) {
      vectors = embedder.embed(unseen, progress::step);
    }
    List<Located> all = new ArrayList<>();
    int next = 0;
    for (Part part : parts) {
      switch (part) {
        case Known known ->
            known.kept.passages().forEach(kept -> all.add(new Located(known.file, kept)));
        case Pending pending -> {
          List<EmbeddedPassage> kept = new ArrayList<>();
          for (TokenizedPassage each : pending.passages) {
            kept.add(new EmbeddedPassage(each.passage(), vectors[next++]));
          }
          kept.forEach(passage -> all.add(new Located(pending.file, passage)));
          if (index != null && pending.stamp != null) {
            index.put(pending.stamp.withPassages(kept));
          }
        }
      }
    }
    return all;
  }

  /** How many texts there are. */
  int files() {
    return parts.size();
  }

  /** How many files of a directory were passed by as not UTF-8 or not readable. */
  int malformed() {
    return malformed;
  }

  /** How many passages went through the model. */
  int embedded() {
    return embedded;
  }

  private void addKept(Path path, IndexedFile kept) {
    parts.add(new Known(path.toString(), kept));
  }

  private String text(Path path, byte[] bytes) throws IOException {
    if (TextFiles.isBinary(bytes)) {
      throw new IOException(path + ": a binary file, not text");
    }
    return Utf8.decode(path.toString(), bytes);
  }

  private void refuse(TextFiles.Found found, IOException problem) {
    if (index != null) {
      index.remove(found.path());
    }
    String message =
        problem.getMessage() != null && problem.getMessage().startsWith(found.path().toString())
            ? problem.getMessage()
            : found.path() + ": " + problem;
    if (found.named()) {
      throw new CliException(message, problem);
    }
    malformed++;
    warnings.accept(message + ", skipped");
  }
}
