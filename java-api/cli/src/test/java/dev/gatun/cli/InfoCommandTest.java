package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class InfoCommandTest {
  private static String run(boolean colours, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
    Terminal terminal =
        new Terminal(InputStream.nullInputStream(), print, print, colours, false, colours);
    assertEquals(0, Gatun.run(terminal, new FakeEmbedder(20, ""), arguments));
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void tellsTheFlag() throws Exception {
    assertTrue(run(false, "info").contains("--enable-native-access=dev.gatun.bindings"));
    JsonNode json = new ObjectMapper().readTree(run(false, "info", "--json"));
    assertEquals(InfoCommand.NATIVE_ACCESS, json.get("native_access").asText());
    assertTrue(json.get("backends").isArray());
  }

  @Test
  void tellsTheVersions() throws Exception {
    JsonNode versions = new ObjectMapper().readTree(run(false, "info", "--json")).get("versions");
    assertTrue(versions.get("gatun").asText().matches("\\d+\\.\\d+\\.\\d+.*"), versions::toString);
    assertEquals(abi(), versions.get("native library ABI").asText());
    assertTrue(versions.get("DJL tokenizers").asText().endsWith("-" + djl()), versions::toString);
    assertTrue(versions.get("JDK").asText().startsWith(Runtime.version() + " ("));
    String row = run(false, "info").lines().findFirst().orElseThrow();
    assertEquals(
        "versions       gatun %s, native library ABI %s, DJL tokenizers %s, JDK %s"
            .formatted(
                versions.get("gatun").asText(),
                abi(),
                versions.get("DJL tokenizers").asText(),
                versions.get("JDK").asText()),
        row);
  }

  /** What the library's header says. */
  private static String abi() throws IOException {
    Path header = Path.of("../../kernels/cpu/src/main/cpp/include/gatun_cpu.h");
    Matcher matcher =
        Pattern.compile("#define GATUN_CPU_ABI (\\d+)").matcher(Files.readString(header));
    assertTrue(matcher.find());
    return matcher.group(1);
  }

  /** The release of DJL that the build takes. */
  private static String djl() throws IOException {
    Matcher matcher =
        Pattern.compile("<djl.version>(.*)</djl.version>")
            .matcher(Files.readString(Path.of("../../pom.xml")));
    assertTrue(matcher.find());
    return matcher.group(1);
  }

  @Test
  void namesTheBackendAsSearchDoes() {
    String text = run(false, "info");
    String backend = new ModelLoader().backend("cpu");
    assertTrue(backend.matches("cpu \\(\\w+, \\d+ threads?\\)"), backend);
    assertTrue(text.contains("\nbackend        * " + backend + "\n"), text);
    assertTrue(text.contains("    level " + backend.replaceAll(".*\\((\\w+),.*", "$1")), text);
    assertTrue(text.contains("\nbackend          reference: can run; cpu is faster\n"), text);
  }

  @Test
  void coloursOnlyWhereAllowed() {
    assertTrue(run(true, "info").contains("\u001b["));
    assertTrue(!run(false, "info").contains("\u001b["));
  }

  @Test
  void readsLinuxProcessors() {
    assertEquals(
        new Processor("Xeon", List.of("fma", "avx2")),
        Processor.parse("processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu avx2 fma x\n"));
  }

  @Test
  void findsTheCache() {
    Map<String, String> home = Map.of("user.home", "/home/u");
    assertEquals("/home/u/.cache/gatun", CacheDirectory.find(home::get, name -> null).toString());
    assertEquals(
        "/home/u/.cache/gatun", CacheDirectory.find(home::get, name -> "relative").toString());
    assertEquals("/x/gatun", CacheDirectory.find(home::get, name -> "/x").toString());
    assertEquals(
        "/c", CacheDirectory.find(Map.of("gatun.cache", "/c")::get, name -> "/x").toString());
  }
}
