package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.device.BackendUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The list of kernels and their images, out of the jar. {@code -Dgatun.cuda.images=FOLDER} takes a
 * folder instead.
 */
final class KernelImages {
  /** The property that names a folder of images. */
  static final String PROPERTY = "gatun.cuda.images";

  private static final String RESOURCES = "/META-INF/gatun/cuda/";

  /**
   * A kernel of the list.
   *
   * @param image the name of the image that it is in
   * @param threads of a block
   * @param arguments a letter for each, as the list explains
   * @param sharedBytes of dynamic shared memory that every launch has, or -1 where they differ
   * @param tile of a block, null of what is no product
   */
  record Entry(String image, int threads, String arguments, int sharedBytes, Tile tile) {
    /** Of a line's words; the words past the fourth need not be there. */
    static Entry of(String[] words) {
      return new Entry(
          words[0].replace(".cu", "").replace('/', '_') + ".fatbin",
          Integer.parseInt(words[2]),
          words[3],
          words.length > 4 ? Integer.parseInt(words[4]) : -1,
          words.length > 5 ? Tile.of(words[5]) : null);
    }
  }

  /**
   * What a block computes of a product.
   *
   * @param m rows
   * @param n features
   * @param k input features of a stage
   */
  record Tile(int m, int n, int k) {
    private static Tile of(String text) {
      int[] sizes = Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
      return new Tile(sizes[0], sizes[1], sizes[2]);
    }
  }

  private final Map<String, Entry> entries;

  private KernelImages(Map<String, Entry> entries) {
    this.entries = entries;
  }

  /**
   * Reads the list.
   *
   * @throws BackendUnavailableException when this build has no images
   */
  static KernelImages load() throws BackendUnavailableException {
    try {
      Map<String, Entry> entries = new LinkedHashMap<>();
      String list = new String(bytes("kernels.list"), StandardCharsets.UTF_8);
      for (String line : list.lines().toList()) {
        String[] words = line.split(" ");
        if (words.length >= 4) {
          entries.put(words[1], Entry.of(words));
        }
      }
      KernelImages images = new KernelImages(entries);
      images.image(entries.values().iterator().next());
      return images;
    } catch (IOException e) {
      throw new BackendUnavailableException(
          "this build has no CUDA kernels (%s): make them where nvcc is, by -Dgatun.cuda.targets=default"
              .formatted(e.getMessage()));
    }
  }

  Map<String, Entry> entries() {
    return entries;
  }

  byte[] image(Entry entry) throws IOException {
    return bytes(entry.image);
  }

  private static byte[] bytes(String name) throws IOException {
    String folder = System.getProperty(PROPERTY);
    if (folder != null) {
      return Files.readAllBytes(Path.of(folder, name));
    }
    try (InputStream in = KernelImages.class.getResourceAsStream(RESOURCES + name)) {
      if (in == null) {
        throw new IOException("there is no " + RESOURCES.substring(1) + name);
      }
      return in.readAllBytes();
    }
  }
}
