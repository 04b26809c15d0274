package dev.gatun.bindings.loader;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Libraries are unpacked once, and only when what lies there is not what the jar has. */
final class NativeLoaderTest {
  private static final String LIBRARY = "libsome.so";
  private static final FileTime OLD = FileTime.fromMillis(1_000_000);

  @TempDir Path folder;

  private final byte[] bytes = new byte[100_003];

  NativeLoaderTest() {
    new Random(1).nextBytes(bytes);
  }

  private static String sha256(byte[] of) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(of));
  }

  /** The library and its checksum, in a jar or as files. */
  private URL place(boolean inJar, String checksum) throws IOException {
    byte[] listed = (checksum + "\n").getBytes(StandardCharsets.US_ASCII);
    if (!inJar) {
      Files.write(folder.resolve(LIBRARY), bytes);
      Files.write(folder.resolve(LIBRARY + ".sha256"), listed);
      return folder.resolve(LIBRARY).toUri().toURL();
    }
    Path jar = folder.resolve("some.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry(LIBRARY));
      out.write(bytes);
      out.putNextEntry(new JarEntry(LIBRARY + ".sha256"));
      out.write(listed);
    }
    return URI.create("jar:" + jar.toUri() + "!/" + LIBRARY).toURL();
  }

  private static URL listed(URL library) throws IOException {
    return URI.create(library + ".sha256").toURL();
  }

  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void a_library_is_unpacked_once_and_again_when_damaged(boolean inJar, boolean told)
      throws Exception {
    String checksum = sha256(bytes);
    URL library = place(inJar, checksum);
    URL expected = told ? listed(library) : null;
    Path cache = folder.resolve("cache");
    Path file = NativeLoader.unpack(library, expected, cache, LIBRARY);
    assertEquals(cache.resolve(checksum).resolve(LIBRARY), file);
    assertArrayEquals(bytes, Files.readAllBytes(file));

    Files.setLastModifiedTime(file, OLD);
    assertEquals(file, NativeLoader.unpack(library, expected, cache, LIBRARY));
    assertEquals(OLD, Files.getLastModifiedTime(file), "unpacked again");

    byte[] damaged = bytes.clone();
    damaged[50_000] ^= 1;
    for (byte[] wrong : new byte[][] {damaged, new byte[0], new byte[bytes.length + 1]}) {
      Files.write(file, wrong);
      assertEquals(file, NativeLoader.unpack(library, expected, cache, LIBRARY));
      assertArrayEquals(bytes, Files.readAllBytes(file));
    }
  }

  @Test
  void a_jar_that_is_not_as_built_is_refused() throws Exception {
    URL library = place(true, sha256(new byte[1]));
    IOException e =
        assertThrows(
            IOException.class,
            () -> NativeLoader.unpack(library, listed(library), folder.resolve("cache"), LIBRARY));
    assertTrue(e.getMessage().contains("its .sha256 says " + sha256(new byte[1])), e.getMessage());
  }

  @Test
  void the_cache_is_where_a_property_or_xdg_says() {
    Map<String, String> home = Map.of("user.home", "/home/u");
    Path usual = Path.of("/home/u/.cache/gatun");
    assertEquals(usual, NativeLoader.cacheFolder(home::get, name -> null));
    assertEquals(usual, NativeLoader.cacheFolder(home::get, name -> "relative"));
    assertEquals(usual, NativeLoader.cacheFolder(home::get, name -> ""));
    assertEquals(Path.of("/x/gatun"), NativeLoader.cacheFolder(home::get, name -> "/x"));
    assertEquals(
        Path.of("/c"), NativeLoader.cacheFolder(Map.of("gatun.cache", "/c")::get, name -> "/x"));
  }
}
