package dev.gatun.test.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.bindings.loader.NativeLoader;
import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The list of kernels, the library and the loader agree. */
final class NativeSymbolsTest {
  private static final Path LIST =
      Path.of("../kernels/cpu/src/main/cpp/include/gatun_cpu_kernels.def");

  @Test
  void the_library_exports_every_kernel_of_the_list() throws IOException {
    NativeLoader.Result result = NativeLoader.load("gatun_cpu");
    assertTrue(result.loaded(), result::report);
    SymbolLookup library =
        SymbolLookup.libraryLookup(result.file(), java.lang.foreign.Arena.global());
    List<String> names =
        Pattern.compile("^GATUN_KERNEL\\((\\w+),", Pattern.MULTILINE)
            .matcher(Files.readString(LIST))
            .results()
            .map(m -> "gatun_" + m.group(1))
            .toList();
    assertFalse(names.isEmpty());
    for (String name : names) {
      assertTrue(library.find(name).isPresent(), name + " is not exported");
    }
  }

  @Test
  void a_missing_library_is_reported_with_every_attempt() {
    NativeLoader.Result result = NativeLoader.load("gatun_nowhere");
    assertFalse(result.loaded());
    assertEquals(1, result.attempts().size());
    assertTrue(result.report().contains("gatun_nowhere"), result::report);
  }
}
