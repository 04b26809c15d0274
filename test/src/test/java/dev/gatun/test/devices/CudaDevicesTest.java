package dev.gatun.test.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.cli.Gatun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code gatun info} says of the CUDA devices, under drivers of every kind. */
final class CudaDevicesTest {
  private static final String TWO = "2 devices are found";
  private static final String LOADED = "fake driver loaded";

  @TempDir private static Path folder;

  private static Path driver;

  @BeforeAll
  static void compile() throws Exception {
    driver = folder.resolve("libfake_driver.so");
    ChildJvm.compile(folder, Path.of("src/test/cpp/fake_driver.cpp"), driver);
  }

  private static ChildJvm.Outcome info(
      Path library, Map<String, String> environment, String... options) throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            environment,
            library == null ? List.of() : List.of("-Dgatun.cuda.driver=" + library),
            Gatun.class,
            options);
    assertEquals(0, outcome.code(), outcome.err());
    return outcome;
  }

  private static JsonNode cuda(Path library, Map<String, String> environment) throws Exception {
    JsonNode all = new ObjectMapper().readTree(info(library, environment, "info", "--json").out());
    assertEquals(1, all.get("devices").size(), all::toString);
    JsonNode cuda = all.get("devices").get(0);
    assertEquals("cuda", cuda.get("name").asText());
    return cuda;
  }

  private static void assertNothing(String status, JsonNode cuda) {
    assertEquals(status, cuda.get("status").asText());
    assertTrue(cuda.get("driver").isNull(), cuda::toString);
    assertEquals(0, cuda.get("devices").size(), cuda::toString);
    assertEquals(1, cuda.get("attempts").size(), cuda::toString);
  }

  @Test
  void two_devices() throws Exception {
    JsonNode cuda = cuda(driver, Map.of());
    assertEquals(
        TWO,
        cuda.get("status").asText().replaceFirst(", but this build has no CUDA kernels.*", ""));
    assertEquals("CUDA 13.0", cuda.get("driver").asText());
    assertEquals(
        new ObjectMapper()
            .readTree(
                """
                [
                  {"ordinal": 0, "name": "Fake H100", "capability": "9.0", "bytes": 85899345920},
                  {"ordinal": 1, "name": "Fake RTX", "capability": "12.0", "bytes": 1610612736}
                ]
                """),
        new ObjectMapper().readTree(cuda.get("devices").toString()));
    assertEquals(driver + ": loaded", cuda.get("attempts").get(0).asText());
  }

  @Test
  void people_read_the_devices_and_on_request_the_files() throws Exception {
    String text = info(driver, Map.of(), "info").out();
    assertTrue(text.contains("cuda (driver: CUDA 13.0): 2 devices are found"), text);
    assertTrue(text.contains("0: Fake H100, compute capability 9.0, 80.0 GiB\n"), text);
    assertTrue(text.contains("1: Fake RTX, compute capability 12.0, 1.5 GiB\n"), text);
    assertTrue(
        text.contains(
            "0: 132 multiprocessors, 227 KiB of shared memory a block, 50 MiB of second-level"
                + " cache\n"),
        text);
    assertFalse(text.contains(driver.toString()), text);
    String verbose = info(driver, Map.of(), "info", "--verbose").out();
    assertTrue(verbose.contains(driver + ": loaded\n"), verbose);
  }

  @Test
  void the_oldest_driver_is_of_13_0() throws Exception {
    JsonNode cuda = cuda(driver, Map.of("FAKE_CUDA_VERSION", "12090", "FAKE_CUDA_DEVICES", "1"));
    assertEquals(
        "1 device is found, but the driver is too old: it is of CUDA 12.9, and CUDA 13.0 (driver"
            + " R580) or later is needed",
        cuda.get("status").asText());
    assertEquals("CUDA 12.9", cuda.get("driver").asText());
    assertEquals(1, cuda.get("devices").size());
  }

  @Test
  void a_driver_without_devices() throws Exception {
    JsonNode none = cuda(driver, Map.of("FAKE_CUDA_DEVICES", "0"));
    assertEquals("the driver shows no device to this process", none.get("status").asText());
    assertNothing(
        "the NVIDIA driver cannot be used: "
            + driver
            + ": cuInit: CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected",
        cuda(driver, Map.of("FAKE_CUDA_INIT", "100")));
  }

  @Test
  void no_file() throws Exception {
    Path missing = folder.resolve("none.so");
    assertNothing(
        "no NVIDIA driver: -Dgatun.cuda.driver=" + missing + ": no such file",
        cuda(missing, Map.of()));
  }

  /** No property: files are tried one after another, those of the environment's folders first. */
  @Test
  void the_folders() throws Exception {
    Path lib = Files.createDirectories(folder.resolve("lib"));
    Files.copy(driver, lib.resolve("libcuda.so.1"));
    JsonNode cuda = cuda(null, Map.of("LD_LIBRARY_PATH", folder + ":" + lib));
    assertEquals("Fake H100", cuda.at("/devices/0/name").asText());
    assertEquals(folder + "/libcuda.so.1: no such file", cuda.at("/attempts/0").asText());
    assertEquals(lib + "/libcuda.so.1: loaded", cuda.at("/attempts/1").asText());

    // A stub, made for linking, does not end the search.
    Path stubs = Files.createDirectories(folder.resolve("stubs"));
    Path source =
        Files.writeString(
            folder.resolve("stub.cpp"), "extern \"C\" int cuInit(unsigned) { return 34; }");
    ChildJvm.compile(folder, source, stubs.resolve("libcuda.so.1"));
    cuda = cuda(null, Map.of("LD_LIBRARY_PATH", stubs + ":" + lib));
    assertEquals("Fake H100", cuda.at("/devices/0/name").asText());
    assertEquals(
        stubs + "/libcuda.so.1: cuInit: unknown CUresult (34), which this driver does not know",
        cuda.at("/attempts/0").asText());
    assertEquals(lib + "/libcuda.so.1: loaded", cuda.at("/attempts/1").asText());

    cuda = cuda(null, Map.of());
    String attempts = cuda.get("attempts").toString();
    if (attempts.contains("loaded") || attempts.contains("cuInit")) {
      return; // This machine has a driver.
    }
    assertEquals(
        "no NVIDIA driver: libcuda.so.1 in none of 8 places (-Dgatun.cuda.driver names one)",
        cuda.get("status").asText());
    assertEquals(cuda, cuda(Path.of(""), Map.of()), "a blank name is none");
  }

  /** Children of their own, for a forced backend is the process's. */
  @Test
  void a_forced_backend_that_is_not_there() throws Exception {
    List<String> options = List.of("-Dgatun.backend=cuda");
    ChildJvm.Outcome search =
        ChildJvm.run(folder, Map.of(), options, Gatun.class, "search", "x", "src/test/cpp");
    assertEquals(1, search.code(), search.err());
    assertEquals(
        """
        gatun: the backend 'cuda' that -Dgatun.backend asks for cannot run here:
          there is none of that name
          cpu: not asked for by -Dgatun.backend=cuda
          reference: not asked for by -Dgatun.backend=cuda
        """,
        search.err());
    String info = ChildJvm.run(folder, Map.of(), options, Gatun.class, "info").out();
    assertTrue(info.contains("none is in use, so no model can run:\n"), info);
    assertTrue(info.contains("cpu: not asked for by -Dgatun.backend=cuda\n"), info);
  }

  @Test
  void files_that_are_no_driver() throws Exception {
    Path text = Files.writeString(folder.resolve("text.so"), "not a library");
    String status = cuda(text, Map.of()).get("status").asText();
    assertTrue(status.startsWith("the NVIDIA driver cannot be used: " + text + ": "), status);

    Path source = Files.writeString(folder.resolve("other.cpp"), "int other = 1;");
    Path other = folder.resolve("other.so");
    ChildJvm.compile(folder, source, other);
    status = cuda(other, Map.of()).get("status").asText();
    assertTrue(status.startsWith("the NVIDIA driver cannot be used: " + other), status);
    assertTrue(status.contains("is no CUDA driver") && status.contains("cuInit"), status);

    Path half = folder.resolve("half.so");
    Files.writeString(source, "extern \"C\" int cuInit(unsigned) { return 0; }");
    ChildJvm.compile(folder, source, half);
    status = cuda(half, Map.of()).get("status").asText();
    assertTrue(status.startsWith("the NVIDIA driver fails: " + half), status);
    assertTrue(status.contains("cuDriverGetVersion"), status);
  }

  @Test
  void the_choice_of_a_backend_loads_no_driver() throws Exception {
    List<String> options = List.of("-Dgatun.cuda.driver=" + driver);
    ChildJvm.Outcome outcome = ChildJvm.run(folder, Map.of(), options, ChooseBackend.class);
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().startsWith("cpu ("), outcome.out());
    assertFalse(outcome.err().contains(LOADED), outcome.err());
    assertTrue(info(driver, Map.of(), "info").err().contains(LOADED));
  }
}
