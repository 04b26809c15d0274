package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
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
    assertEquals("/x/gatun", CacheDirectory.find(home::get, name -> "/x").toString());
    assertEquals(
        "/c", CacheDirectory.find(Map.of("gatun.cache", "/c")::get, name -> "/x").toString());
  }
}
