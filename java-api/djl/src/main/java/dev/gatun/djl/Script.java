package dev.gatun.djl;

import ai.djl.MalformedModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * What {@code forward} of a TorchScript module does where it only hands its arguments on: its code
 * names them, groups them, and returns them, as modules around a program's data do. Code that
 * computes is refused by the name of what it calls; nothing is run.
 */
final class Script {
  /** The most bytes of code that are read: far more than code that only hands on has. */
  private static final int MOST_CODE = 1 << 20;

  /** Groups in groups that are followed. */
  private static final int MOST_DEPTH = 50;

  private static final int NAME_BYTES = 4096;
  private static final int MOST_OUTPUTS = 1000;
  private static final String FORWARD = "  def forward(";
  private static final String END = "the end";

  /** How the pickle of a module begins: protocol 2, and the name of its class. */
  private static final Pattern ROOT =
      Pattern.compile("\\A\\x80\\x02c(__torch__[A-Za-z_0-9.]*)\\n([A-Za-z_0-9]+)\\n");

  private static final Pattern TOKEN =
      Pattern.compile("\\n|[A-Za-z_][A-Za-z_0-9.]*+|\"(?:[^\"\\\\]++|\\\\.)*+\"|\\S");

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z_0-9]*");

  /** A word of the code. */
  private record Token(String text, int line) {}

  private final String source;
  private final String file;
  private final List<Token> tokens = new ArrayList<>();
  private final List<String> inputs = new ArrayList<>();

  /** By its name: the index of an argument, or a list of values. */
  private final Map<String, Object> values = new HashMap<>();

  private final List<Integer> outputs = new ArrayList<>();
  private int at;

  private Script(Path path, String file, String code, String type) throws MalformedModelException {
    this.source = path.toString();
    this.file = file;
    split(code, type);
    arguments();
    body();
  }

  /**
   * Reads the file that {@code torch.jit.save} wrote.
   *
   * @throws IOException if it cannot be read
   * @throws MalformedModelException if it is no module of TorchScript, or if it computes
   */
  static Script read(Path path) throws IOException, MalformedModelException {
    try (ZipFile zip = new ZipFile(path.toFile())) {
      String folder =
          zip.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.matches("[^/]*/data\\.pkl"))
              .findFirst()
              .map(name -> name.substring(0, name.length() - "data.pkl".length()))
              .orElseThrow(() -> noModule(path, null));
      Matcher root = ROOT.matcher(text(zip, path, folder + "data.pkl", NAME_BYTES, true));
      if (!root.find()) {
        throw noModule(path, null);
      }
      String file = "code/" + root.group(1).replace('.', '/') + ".py";
      return new Script(
          path, file, text(zip, path, folder + file, MOST_CODE, false), root.group(2));
    } catch (ZipException e) {
      throw noModule(path, e);
    }
  }

  private static MalformedModelException noModule(Path path, Exception cause) {
    return new MalformedModelException(
        "%s: no module of TorchScript and no config.json beside it, expected one of them"
            .formatted(path),
        cause);
  }

  private static String text(ZipFile zip, Path path, String name, int most, boolean beginning)
      throws IOException, MalformedModelException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new MalformedModelException(
          "%s: %s is missing in it; the archive is damaged".formatted(path, name));
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readNBytes(most);
      if (!beginning && in.read() >= 0) {
        throw new MalformedModelException(
            "%s: %s has more than %d bytes, expected config.json beside it, of a model of the library"
                .formatted(path, name, most));
      }
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  /** The names of the arguments, in their order. */
  List<String> inputs() {
    return inputs;
  }

  /** Which arguments are given back, in their order; those of groups behind one another. */
  List<Integer> outputs() {
    return outputs;
  }

  private MalformedModelException refused(int line, String what) {
    return new MalformedModelException(
        "%s: line %d of %s %s, expected code that only hands its arguments on, or config.json beside it, of a model of the library"
            .formatted(source, line, file, what));
  }

  /** The words of the module's {@code forward}; an end of a line in brackets is none. */
  private void split(String code, String type) throws MalformedModelException {
    String[] lines = code.split("\n", -1);
    int line = 0;
    while (line < lines.length && !lines[line].startsWith("class " + type + "(")) {
      line++;
    }
    do {
      line++;
    } while (line < lines.length
        && lines[line].matches("( .*)?")
        && !lines[line].startsWith(FORWARD));
    if (line >= lines.length || !lines[line].startsWith(FORWARD)) {
      throw refused(Math.min(line, lines.length), "has no forward of class " + type);
    }
    int depth = 0;
    for (int i = line; i == line || i < lines.length && lines[i].matches("(    .*)?"); i++) {
      Matcher words = TOKEN.matcher((i == line ? lines[i].substring(6) : lines[i]) + "\n");
      while (words.find()) {
        String word = words.group();
        depth += "([{".contains(word) ? 1 : ")]}".contains(word) ? -1 : 0;
        if (!word.equals("\n") || depth == 0) {
          tokens.add(new Token(word, i + 1));
        }
      }
    }
    tokens.add(new Token(END, lines.length));
  }

  private Token next() {
    return tokens.get(at);
  }

  /** Takes the word if it is next. */
  private boolean takes(String word) {
    boolean is = next().text().equals(word);
    at += is ? 1 : 0;
    return is;
  }

  private void require(String word) throws MalformedModelException {
    if (!takes(word)) {
      throw unexpected();
    }
  }

  /** What is not understood, by what it calls where it calls something. */
  private MalformedModelException unexpected() {
    for (int i = at; i + 1 < tokens.size() && tokens.get(i).line() == next().line(); i++) {
      String word = tokens.get(i).text();
      if (word.startsWith("torch.") || word.startsWith("ops.")) {
        return refused(next().line(), "calls " + word);
      }
    }
    return refused(next().line(), "has " + next().text().strip());
  }

  private String name() throws MalformedModelException {
    if (!NAME.matcher(next().text()).matches()) {
      throw unexpected();
    }
    return tokens.get(at++).text();
  }

  /** {@code forward(self: Type, a: Tensor, b: Tensor) -> Type:}. */
  private void arguments() throws MalformedModelException {
    require("forward");
    require("(");
    require("self");
    require(":");
    at++;
    while (!takes(")")) {
      require(",");
      values.put(next().text(), inputs.size());
      inputs.add(name());
      require(":");
      if (!takes("Tensor") || !next().text().matches("[,)]")) {
        throw refused(
            next().line(), "has an argument %s that is no Tensor".formatted(inputs.getLast()));
      }
    }
    while (!next().text().equals("\n") && !next().text().equals(END)) {
      at++;
    }
  }

  private void body() throws MalformedModelException {
    while (true) {
      while (takes("\n")) {
        // Between statements.
      }
      if (next().text().equals("return") && !tokens.get(at + 1).text().equals("=")) {
        at++;
        flatten(value(0));
        if (!next().text().equals("\n")) {
          throw unexpected();
        }
        return;
      }
      List<String> names = new ArrayList<>();
      int begin = at;
      do {
        names.add(name());
      } while (takes(",") && !next().text().equals("="));
      boolean isGroup = tokens.get(at - 1).text().equals(",");
      at = next().text().equals("=") ? at : begin;
      require("=");
      assign(names, isGroup, value(0));
    }
  }

  private void assign(List<String> names, boolean isGroup, Object value)
      throws MalformedModelException {
    if (!next().text().equals("\n")) {
      throw unexpected();
    }
    if (!isGroup && names.size() == 1) {
      values.put(names.getFirst(), value);
      return;
    }
    if (!(value instanceof List<?> group) || group.size() != names.size()) {
      throw refused(next().line(), "takes a group of other than %d apart".formatted(names.size()));
    }
    for (int i = 0; i < names.size(); i++) {
      values.put(names.get(i), group.get(i));
    }
  }

  /** The index of an argument, or a list of values. */
  private Object value(int depth) throws MalformedModelException {
    if (depth > MOST_DEPTH) {
      throw refused(
          next().line(), "has more than %d brackets in one another".formatted(MOST_DEPTH));
    }
    String close = takes("(") ? ")" : takes("[") ? "]" : null;
    if (close == null) {
      Object value = values.get(next().text());
      if (value == null) {
        throw unexpected();
      }
      at++;
      return value;
    }
    List<Object> group = new ArrayList<>();
    boolean isGroup = close.equals("]");
    while (!takes(close)) {
      group.add(value(depth + 1));
      if (takes(",")) {
        isGroup = true;
      } else if (!next().text().equals(close)) {
        throw unexpected();
      }
    }
    return isGroup || group.size() != 1 ? group : group.getFirst();
  }

  private void flatten(Object value) throws MalformedModelException {
    if (value instanceof Integer index) {
      outputs.add(index);
      return;
    }
    for (Object member : (List<?>) value) {
      flatten(member);
      if (outputs.size() > MOST_OUTPUTS) {
        throw refused(next().line(), "returns more than %d tensors".formatted(MOST_OUTPUTS));
      }
    }
  }
}
