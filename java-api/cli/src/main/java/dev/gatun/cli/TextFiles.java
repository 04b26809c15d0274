package dev.gatun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The files that FILES and DIRS on the command line stand for. */
final class TextFiles {
  private static final int SNIFFED = 8192;
  private static final String LFS_POINTER = "version https://git-lfs.github.com/spec/";

  /**
   * A file to read.
   *
   * @param path where it is
   * @param named whether the user named it; a file met in a directory may be skipped
   */
  record Found(Path path, boolean named) {}

  private final Consumer<String> warnings;
  private final List<Found> files = new ArrayList<>();
  private int hidden;
  private int binary;
  private int unreadable;

  TextFiles(Consumer<String> warnings) {
    this.warnings = warnings;
  }

  /** Adds a file, or the files of a directory in sorted order. */
  void add(Path path) {
    if (Files.isDirectory(path)) {
      walk(path);
    } else if (!Files.exists(path)) {
      throw new CliException(path + ": no such file or directory");
    } else if (!Files.isReadable(path)) {
      throw new CliException(path + ": cannot be read");
    } else {
      files.add(new Found(path, true));
    }
  }

  List<Found> files() {
    return files;
  }

  /** How many hidden files and directories were passed by. */
  int hidden() {
    return hidden;
  }

  /** How many files that are not text were passed by. */
  int binary() {
    return binary;
  }

  /** How many files and directories could not be opened. */
  int unreadable() {
    return unreadable;
  }

  private void walk(Path directory) {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(children::add);
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      skip(directory);
      return;
    }
    children.sort(null);
    for (Path child : children) {
      if (child.getFileName().toString().startsWith(".")) {
        hidden++;
      } else if (Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
        walk(child);
      } else if (Files.isRegularFile(child)) {
        visit(child);
      }
    }
  }

  private void visit(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      if (isBinary(in.readNBytes(SNIFFED))) {
        binary++;
      } else {
        files.add(new Found(file, false));
      }
    } catch (IOException e) {
      skip(file);
    }
  }

  private void skip(Path path) {
    unreadable++;
    warnings.accept(path + ": cannot be read, skipped");
  }

  /**
   * The whole of a text that the user named, in UTF-8; a byte order mark in front is dropped.
   *
   * @param what how they named it, such as {@code --text}
   * @throws CliException when there is no such file, when nothing is in it, when it cannot be read,
   *     and when it is no text
   */
  static String read(String what, Path file) {
    if (!Files.exists(file)) {
      throw new CliException("%s: there is no file %s".formatted(what, file));
    }
    if (Files.isDirectory(file)) {
      throw new CliException("%s: %s is a directory, expected a text file".formatted(what, file));
    }
    String text;
    try {
      text = read(file.toString(), Files.newInputStream(file));
    } catch (MalformedTextException e) {
      throw new CliException("%s: %s".formatted(what, e.getMessage()), e);
    } catch (IOException e) {
      throw new CliException("%s: %s cannot be read: %s".formatted(what, file, e.getMessage()), e);
    }
    if (text.isEmpty()) {
      throw new CliException("%s: %s is empty, expected a text".formatted(what, file));
    }
    return text;
  }

  /** All of a command's standard input, in UTF-8. */
  static String read(Terminal terminal) throws IOException {
    return read("(standard input)", terminal.in());
  }

  private static String read(String source, InputStream in) throws IOException {
    StringWriter text = new StringWriter();
    try (Reader reader = new Utf8Reader(source, in)) {
      reader.transferTo(text);
    }
    return text.toString();
  }

  /**
   * Looks at a file's beginning.
   *
   * @throws IOException if it is not text that anybody wrote
   */
  static void check(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] head = in.readNBytes(SNIFFED);
      if (isBinary(head)) {
        throw new IOException(file + ": a binary file, not text");
      }
      if (new String(head, StandardCharsets.ISO_8859_1).startsWith(LFS_POINTER)) {
        throw new IOException(
            file
                + ": a pointer of git-lfs, not the file that it stands for: git lfs pull fetches"
                + " that");
      }
    }
  }

  /** A zero byte near the beginning, as grep and git take it. */
  static boolean isBinary(byte[] head) {
    for (int i = 0; i < Math.min(head.length, SNIFFED); i++) {
      if (head[i] == 0) {
        return true;
      }
    }
    return false;
  }
}
