package dev.gatun.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.files.TextFile;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufArchitecture.Move;
import dev.gatun.weights.gguf.GgufArchitecture.Name;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * A model as GGUF says it: made of a GGUF file, whose keys and tensors it has as they are, or of a
 * Hugging Face directory, by the table of its architecture the other way round.
 *
 * @param keys without the tokenizer's where it is of a directory
 * @param tensors valid until it is closed
 * @param layers the model's layer of each tensor that is the weight of one alone
 * @param leftOut names of tensors that GGUF has no place for and that no text depends on, or that a
 *     note tells of
 * @param notes what a user of the file should know
 * @param file what they lie in
 */
public record GgufModel(
    GgufKeys keys,
    List<GgufTensor> tensors,
    Map<String, String> layers,
    List<String> leftOut,
    List<String> notes,
    TensorFile file)
    implements AutoCloseable {
  // Buffers that the library makes again, and heads of pretraining.
  private static final Pattern NO_WEIGHT =
      Pattern.compile(
          ".*(rotary_emb\\.inv_freq|masked_bias|position_ids|\\.attn\\.bias|\\.attention\\.bias)"
              + "|(.*\\.)?pooler\\..*|cls\\..*");

  // All experts of a layer in one tensor of rows.
  private static final Pattern EXPERTS = Pattern.compile("(.*\\.mlp\\.experts)\\.mlp\\.(w[12])");

  private static final Pattern EXPERTS_BIAS = Pattern.compile(".*\\.mlp\\.experts\\.bias");

  private static final String NO_BIAS =
      "the experts' biases are left out, as llama.cpp leaves them: the vectors of texts are near"
          + " those of the model, and not the same";

  private static final List<String> PREFIXES =
      List.of("", "model.", "transformer.", "gpt_neox.", "-bert.", "-nomic_bert.");

  /**
   * Opens a model.
   *
   * @param path a GGUF file, or a directory of Hugging Face's
   * @throws WeightsException naming what GGUF has no words for
   */
  public static GgufModel open(Path path) throws IOException {
    Optional<Path> gguf = GgufFile.find(path);
    TensorFile file = gguf.isPresent() ? GgufFile.open(gguf.get()) : TensorFile.open(path);
    try {
      return file instanceof GgufFile own
          ? new GgufModel(
              own.copiedKeys(), own.ownTensors(), own.layers(), List.of(), List.of(), own)
          : new Reader(path, file).read();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Whether it is of a GGUF file. */
  public boolean isGguf() {
    return file instanceof GgufFile;
  }

  @Override
  public void close() {
    file.close();
  }

  /** Where a tensor of the model goes. */
  private record Place(Name name, String gguf, int expert) {
    /** Of an expert that the model has the other way. */
    Place turned() {
      return new Place(new Name(name.gguf(), name.model(), Move.TURNED_EXPERTS), gguf, expert);
    }
  }

  private static final class Reader {
    private final Path path;
    private final TensorFile file;
    private final JsonNode config;
    private final GgufArchitecture architecture;
    private final GgufSettings.Made settings;
    private final List<GgufTensor> tensors = new ArrayList<>();
    private final Map<String, String> layers = new LinkedHashMap<>();
    private final List<String> leftOut = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Map<String, TreeMap<Integer, TensorFile.Entry>> parts = new LinkedHashMap<>();

    Reader(Path path, TensorFile file) throws IOException {
      this.path = path;
      this.file = file;
      Path where = path.resolve("config.json");
      this.config = TextFile.json(where, WeightsException::new);
      this.architecture = architecture(where);
      this.settings = GgufSettings.of(where.toString(), config, architecture);
      notes.addAll(settings.notes());
    }

    private GgufArchitecture architecture(Path where) {
      String type = config.path("model_type").asText();
      List<GgufArchitecture> all = GgufArchitecture.ofModelType(type);
      if (all.isEmpty()) {
        throw new WeightsException(
            "%s: model_type is '%s', which is not written as GGUF; expected one of %s"
                .formatted(where, type, String.join(", ", GgufArchitecture.modelTypes())));
      }
      if (type.equals("gemma3_text")) {
        boolean both = config.path("use_bidirectional_attention").asBoolean(false);
        return GgufArchitecture.of(both ? "gemma-embedding" : "gemma3");
      }
      boolean second =
          file.names().stream()
              .anyMatch(n -> n.contains(".ln_attn.") || EXPERTS.matcher(n).matches());
      return second ? all.getLast() : all.getFirst();
    }

    GgufModel read() throws IOException {
      boolean tied = config.path("tie_word_embeddings").asBoolean(isTiedByDefault());
      for (String name : file.names()) {
        if (NO_WEIGHT.matcher(name).matches() || tied && isTable(name)) {
          leftOut.add(name);
          continue;
        }
        Matcher experts = EXPERTS.matcher(name);
        if (EXPERTS_BIAS.matcher(name).matches()) {
          leaveOut(file.get(name));
        } else if (experts.matches()) {
          add(file.get(name), experts.group(1), experts.group(2));
        } else {
          add(place(name), file.get(name));
        }
      }
      settings.tables().forEach(this::addTable);
      parts.forEach((gguf, entries) -> add(places.get(gguf), entries));
      GgufKeys keys = settings.keys();
      Path name = path.toAbsolutePath().normalize().getFileName();
      keys.text("general.name", name == null ? "model" : name.toString());
      tensors.addAll(GgufSentence.write(path, architecture.written(), config, keys));
      return new GgufModel(
          keys, List.copyOf(tensors), layers, List.copyOf(leftOut), List.copyOf(notes), file);
    }

    private void add(Place place, TensorFile.Entry entry) {
      if (place == null) {
        throw new WeightsException(
            "%s: tensor '%s' has no name in GGUF's %s"
                .formatted(path, entry.name(), architecture.written()));
      }
      places.put(place.gguf, place);
      TensorFile.Entry before =
          parts.computeIfAbsent(place.gguf, _ -> new TreeMap<>()).put(place.expert, entry);
      if (before != null) {
        throw new WeightsException(
            "%s: tensors '%s' and '%s' have one name in GGUF, '%s'"
                .formatted(path, before.name(), entry.name(), place.gguf));
      }
    }

    /** The rows of each expert, of the second layer those of its input features. */
    private void add(TensorFile.Entry all, String experts, String layer) {
      int count = config.path("num_experts").asInt(0);
      long[] shape = all.shape();
      if (count < 1 || shape.length != 2 || shape[0] % count != 0) {
        throw new WeightsException(
            "%s: expected rows for %d experts, as 'num_experts' says".formatted(all, count));
      }
      long[] own = {shape[0] / count, shape[1]};
      long bytes = all.data().byteSize() / count;
      for (int e = 0; e < count; e++) {
        String name = "%s.%d.%s.weight".formatted(experts, e, layer);
        MemorySegment data = all.data().asSlice(e * bytes, bytes);
        Place place = place(name);
        add(
            place == null || layer.equals("w1") ? place : place.turned(),
            new TensorFile.Entry(name, all.dtype(), own, data, all.source()));
      }
    }

    /** A bias of all experts as one, which llama.cpp's models do not have. */
    private void leaveOut(TensorFile.Entry bias) {
      leftOut.add(bias.name());
      boolean isZero = LongStream.range(0, bias.data().byteSize()).allMatch(i -> isZero(bias, i));
      if (!isZero && !notes.contains(NO_BIAS)) {
        notes.add(NO_BIAS);
      }
    }

    private static boolean isZero(TensorFile.Entry entry, long place) {
      return entry.data().get(ValueLayout.JAVA_BYTE, place) == 0;
    }

    /** Whether it is an output layer that the file has the numbers of as its table too. */
    private boolean isTable(String name) {
      if (!name.equals("lm_head.weight")) {
        return false;
      }
      MemorySegment numbers = file.get(name).data();
      return file.names().stream()
          .filter(this::isEmbedding)
          .allMatch(table -> file.get(table).data().mismatch(numbers) < 0);
    }

    private boolean isEmbedding(String name) {
      Place place = place(name);
      return place != null && place.gguf.equals("token_embd.weight");
    }

    private boolean isTiedByDefault() {
      return List.of(
              "gpt2", "bloom", "falcon", "gemma", "gemma2", "gemma3_text", "cohere", "starcoder2")
          .contains(config.path("model_type").asText());
    }

    private void addTable(String setting, float[] values) {
      String gguf =
          architecture.tensors().stream()
              .filter(t -> t.move() == Move.SETTING && t.model().equals(setting))
              .findAny()
              .orElseThrow(
                  () ->
                      new WeightsException(
                          "%s: rotary settings of %s have no words in GGUF's %s"
                              .formatted(path, setting, architecture.written())))
              .gguf();
      TensorFile.Entry entry = entry(setting, MemorySegment.ofArray(values), values.length);
      tensors.add(
          new GgufTensor(
              gguf + ".weight",
              new long[] {values.length},
              "F32",
              new HfRows(List.of(entry), Move.NONE, null, 1, values.length)));
    }

    private TensorFile.Entry entry(String name, MemorySegment floats, long count) {
      MemorySegment data = Arena.ofAuto().allocate(floats.byteSize(), 64).copyFrom(floats);
      return new TensorFile.Entry(name, DType.F32, new long[] {count}, data, path.toString());
    }

    private Place place(String name) {
      for (String suffix : List.of(".weight", ".bias")) {
        if (!name.endsWith(suffix)) {
          continue;
        }
        String begin = name.substring(0, name.length() - suffix.length());
        for (String prefix : PREFIXES) {
          boolean cut = prefix.startsWith("-");
          if (cut && !begin.startsWith(prefix.substring(1))) {
            continue;
          }
          Place place = placed(cut ? begin.substring(prefix.length() - 1) : prefix + begin, suffix);
          if (place != null) {
            return place;
          }
        }
      }
      return null;
    }

    private Place placed(String begin, String suffix) {
      Place found = null;
      for (Name name : architecture.tensors()) {
        String pattern =
            Pattern.quote(name.model())
                .replace(".N.", ".\\E(?<N>\\d+)\\Q.")
                .replace(".E.", ".\\E(?<E>\\d+)\\Q.");
        Matcher matcher = Pattern.compile(pattern).matcher(begin);
        if (name.move() == Move.SETTING || !matcher.matches()) {
          continue;
        }
        boolean expert = name.move() == Move.EXPERTS;
        if (found == null || expert) {
          String gguf = name.gguf();
          gguf = gguf.contains(".N.") ? gguf.replace(".N.", "." + matcher.group("N") + ".") : gguf;
          int number = expert ? Integer.parseInt(matcher.group("E")) : 0;
          if (gguf.endsWith(".E")) {
            continue;
          }
          found = new Place(name, gguf + suffix, number);
        }
      }
      return found;
    }

    private void add(Place place, TreeMap<Integer, TensorFile.Entry> entries) {
      TensorFile.Entry first = entries.firstEntry().getValue();
      long[] shape = first.shape();
      if (entries.lastKey() != entries.size() - 1
          || entries.values().stream().anyMatch(e -> !alike(e, first))) {
        throw new WeightsException(
            "%s: of '%s' some experts are missing, or not of one shape and type"
                .formatted(path, first.name()));
      }
      if (!List.of(DType.F32, DType.F16, DType.BF16, DType.F64).contains(first.dtype())) {
        throw new WeightsException("%s: is neither F32, F16, BF16 nor F64".formatted(first));
      }
      Move move = place.name.move();
      if (!move.isOfExperts() && first.name().endsWith(".weight")) {
        layers.put(place.gguf, first.name().substring(0, first.name().lastIndexOf('.')));
      }
      if (move.isTurned() && shape.length == 2) {
        if (first.dtype() == DType.F64) {
          throw new WeightsException("%s: is F64, expected F32, F16 or BF16".formatted(first));
        }
        shape = new long[] {shape[1], shape[0]};
      } else if (move == Move.TRANSPOSED) {
        move = Move.NONE;
      }
      LongUnaryOperator order = order(move, first.toString(), shape);
      List<TensorFile.Entry> all = List.copyOf(entries.values());
      if (shape.length == 1 && order != null) {
        all = List.of(reordered(first, order));
        order = null;
      }
      long columns = shape.length == 0 ? 1 : shape[shape.length - 1];
      if (columns == 0 || first.elements() == 0) {
        throw new WeightsException("%s: is empty".formatted(first));
      }
      long rows = first.elements() / columns;
      long[] written =
          move.isOfExperts()
              ? new long[] {all.size(), shape[0], shape[1]}
              : move == Move.ROW ? new long[] {shape[shape.length - 1]} : shape;
      tensors.add(
          new GgufTensor(
              place.gguf,
              written,
              first.dtype().name(),
              new HfRows(all, move, order, rows, columns)));
    }

    private static boolean alike(TensorFile.Entry a, TensorFile.Entry b) {
      return a.dtype() == b.dtype() && Arrays.equals(a.shape(), b.shape());
    }

    /** The model's row of each of GGUF's. */
    private LongUnaryOperator order(Move move, String told, long[] shape) {
      LongUnaryOperator file =
          GgufView.order(move, told, shape, settings.heads(), settings.kvHeads());
      if (file == null) {
        return null;
      }
      long[] inverse = new long[Math.toIntExact(shape[0])];
      for (int row = 0; row < inverse.length; row++) {
        inverse[(int) file.applyAsLong(row)] = row;
      }
      return row -> inverse[(int) row];
    }

    private TensorFile.Entry reordered(TensorFile.Entry entry, LongUnaryOperator order) {
      int bytes = entry.dtype().bytes();
      MemorySegment to = Arena.ofAuto().allocate(entry.data().byteSize(), 64);
      for (long i = 0; i < entry.elements(); i++) {
        MemorySegment.copy(entry.data(), order.applyAsLong(i) * bytes, to, i * bytes, bytes);
      }
      return new TensorFile.Entry(
          entry.name(), entry.dtype(), entry.shape(), to.asReadOnly(), entry.source());
    }
  }

  /** The bytes of all tensors where they come from. */
  public long bytes() {
    return tensors.stream().mapToLong(t -> t.bytes(t.type())).sum();
  }
}
