package dev.gatun.weights.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.MappedFiles;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.Suggestions;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A GGUF file, or the parts of a split one, mapped, as the Hugging Face model that it was made of:
 * its tensors under that model's names, and its settings as that model's {@code config.json}.
 * Blocks stay as they are; rows that were moved are given in the model's order.
 */
public final class GgufFile implements TensorFile {
  private record Part(String source, MemorySegment file, GgufHeader header) {}

  private record Place(Part part, GgufHeader.Slot slot) {
    MemorySegment data() {
      return part.file.asSlice(slot.begin(), slot.bytes());
    }
  }

  private final MappedFiles files;
  private final String source;
  private final GgufMetadata metadata;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final Map<String, GgufHeader.Slot> slots = new LinkedHashMap<>();
  private final GgufArchitecture architecture;
  private final GgufNames names;

  private GgufFile(MappedFiles files, Path path) throws IOException {
    this.files = files;
    this.source = path.toString();
    List<Part> parts = parts(path);
    this.metadata = new GgufMetadata(parts.getFirst().source(), parts.getFirst().header.values());
    for (Part part : parts) {
      part.header
          .tensors()
          .forEach(
              (name, slot) -> {
                if (slots.put(name, slot) != null) {
                  throw new WeightsException(
                      "%s: tensor '%s' is in another part too".formatted(part.source, name));
                }
                places.put(name, new Place(part, slot));
              });
    }
    this.architecture = GgufConfig.architecture(metadata, slots);
    this.names = new GgufNames(architecture, slots);
  }

  /**
   * Maps a file, and the others where it is a part of a split one, and checks their headers.
   *
   * @throws IOException if a file cannot be read
   * @throws WeightsException if one is damaged, or of an architecture that is not known
   */
  public static GgufFile open(Path path) throws IOException {
    GgufShards.requireThere(path);
    MappedFiles files = new MappedFiles();
    return MappedFiles.orClose(files, () -> new GgufFile(files, path));
  }

  /**
   * The GGUF file that a path means: itself, or the one in a directory without a {@code
   * config.json}; empty where it means none.
   *
   * @throws WeightsException naming the files where a directory has several
   */
  public static Optional<Path> find(Path path) throws IOException {
    return GgufShards.find(path);
  }

  /**
   * What a file says of itself, without its tensors: for tokenizers.
   *
   * @param read gets the keys, which are not to be used after it
   */
  public static <T> T readMetadata(Path path, MetadataReader<T> read) throws IOException {
    try (MappedFiles files = new MappedFiles()) {
      GgufFile.Parts parts = new Parts(files, path);
      Part first = parts.all().getFirst();
      return read.read(new GgufMetadata(first.source, first.header.values()));
    }
  }

  /** Makes something of a file's keys. */
  public interface MetadataReader<T> {
    /** What it makes. */
    T read(GgufMetadata metadata) throws IOException;
  }

  private List<Part> parts(Path path) throws IOException {
    return new Parts(files, path).all();
  }

  /** The parts of a split file. */
  private record Parts(MappedFiles files, Path path) {
    List<Part> all() throws IOException {
      Part given = open(path);
      GgufMetadata own = new GgufMetadata(given.source, given.header.values());
      int count = own.integer("split.count", 1);
      if (count <= 1) {
        return List.of(given);
      }
      List<Part> parts = new ArrayList<>();
      long tensors = 0;
      for (Path part : GgufShards.all(path, count)) {
        Part opened = open(part);
        GgufMetadata keys = new GgufMetadata(opened.source, opened.header.values());
        requireEqual(keys, "split.no", parts.size());
        requireEqual(keys, "split.count", count);
        tensors += opened.header.tensors().size();
        parts.add(opened);
      }
      requireEqual(own, "split.tensors.count", tensors);
      return parts;
    }

    private Part open(Path part) throws IOException {
      MemorySegment file = files.map(part);
      return new Part(part.toString(), file, GgufHeader.parse(file, part.toString()));
    }

    private static void requireEqual(GgufMetadata keys, String key, long expected) {
      if (keys.integer(key, -1) != expected) {
        throw keys.wrong(key, expected + ", as its name and the other parts say");
      }
    }
  }

  /** The {@code config.json} of the model. */
  public ObjectNode config() {
    Map<String, float[]> settings = new LinkedHashMap<>();
    names.settings().forEach((name, gguf) -> settings.put(name, floats(gguf, places.get(gguf))));
    return GgufConfig.of(metadata, architecture, slots, settings);
  }

  private static float[] floats(String name, Place place) {
    if (place.slot.type().dtype() != DType.F32) {
      throw new WeightsException(
          "%s: tensor '%s' is %s, expected F32"
              .formatted(place.part.source, name, place.slot.type().name()));
    }
    return place.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  /** Its keys, but those of a part of a split file, for another file of the same model. */
  GgufKeys copiedKeys() {
    GgufKeys keys = new GgufKeys();
    metadata
        .values()
        .forEach(
            (key, value) -> {
              if (!key.startsWith("split.")) {
                keys.put(key, value);
              }
            });
    return keys;
  }

  /** The model's layer of each tensor that is one alone. */
  Map<String, String> layers() {
    Map<String, String> layers = new LinkedHashMap<>();
    names
        .sources()
        .forEach(
            (name, source) -> {
              if (source.expert() < 0 && name.endsWith(".weight")) {
                layers.put(source.gguf(), name.substring(0, name.lastIndexOf('.')));
              }
            });
    return layers;
  }

  /** Its tensors as they lie in it, under their own names; valid until it is closed. */
  List<GgufTensor> ownTensors() {
    List<GgufTensor> tensors = new ArrayList<>();
    places.forEach(
        (name, place) ->
            tensors.add(
                new GgufTensor(
                    name,
                    place.slot.shape(),
                    place.slot.type().name(),
                    StoredRows.of(
                        place.part.source + " (" + name + ")", place.slot, place.data()))));
    return tensors;
  }

  /** What it says about itself, by its own keys. */
  public GgufMetadata keys() {
    return metadata;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(names.sources().keySet());
  }

  @Override
  public Map<String, String> metadata() {
    Map<String, String> texts = new LinkedHashMap<>();
    metadata.text("general.name").ifPresent(name -> texts.put("general.name", name));
    metadata
        .text("general.architecture")
        .ifPresent(name -> texts.put("general.architecture", name));
    metadata
        .text("tokenizer.ggml.model")
        .ifPresent(name -> texts.put("tokenizer.ggml.model", name));
    return texts;
  }

  @Override
  public String settings() {
    return "its metadata";
  }

  @Override
  public String told(String name) {
    String own = GgufNames.own(architecture, name);
    return own == null ? name : "%s (%s)".formatted(own, name);
  }

  /** Its own names of the keys of {@link #config}, where it has them or could. */
  public Map<String, String> keyNames() {
    return GgufConfig.keyNames(metadata, architecture);
  }

  private GgufNames.Source source(String name) {
    GgufNames.Source found = names.sources().get(name);
    if (found == null) {
      throw Suggestions.missing(source, told(name), names());
    }
    return found;
  }

  @Override
  public Entry get(String name) {
    GgufView view = view(name);
    MemorySegment data =
        view.isPlain()
            ? files.aligned(name, view.data(), view.dtype())
            : files.copy(name, view.bytes(), view::write);
    return new Entry(name, view.dtype(), view.modelShape(), data, view.told());
  }

  @Override
  public Info info(String name) {
    return view(name).info();
  }

  @Override
  public Optional<StoredWeight> stored(String name) {
    return view(name).stored();
  }

  private GgufView view(String name) {
    GgufNames.Source from = source(name);
    Place place = places.get(from.gguf());
    return GgufView.of(
        place.part.source + " (" + from.gguf() + ")",
        place.slot,
        place.data(),
        from,
        heads("attention.head_count", 1),
        heads("attention.head_count_kv", heads("attention.head_count", 1)));
  }

  private int heads(String key, int otherwise) {
    String prefix = metadata.text("general.architecture").orElseThrow();
    return metadata.integer(prefix + "." + key, otherwise);
  }

  @Override
  public Optional<AutoCloseable> keepOpen() {
    return Optional.of(files.keep());
  }

  @Override
  public void close() {
    files.close();
  }
}
