package dev.gatun.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gatun.generation.GeneratorOptions;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in Chromium; its pictures are in {@code target/page}. */
class PageTest {
  private static final Path PICTURES = Path.of("target/page");

  /** HTML of every kind that would run, and code. */
  private static final List<String> PIECES =
      List.of(
          "A lock lifts ships by 8.5 m; three of them climb to Lake Gatun.",
          "<img src=x onerror=\"document.title='owned'\">",
          "<script>document.title='owned'</script>",
          "<a href=\"javascript:document.title='owned'\">here</a>",
          "&lt;b&gt;\n```java\nint metres = 26; // <b>bold</b>\n```\nThat is all.");

  private static TestServer server;
  private static int seed;

  @TempDir private Path profile;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    Path hostile = TestModels.llama(folder.resolve("hostile"), 512);
    seed = TestModels.saying(hostile, new int[] {95, 92, 5, 6, 96}, PIECES);
    Path endless = TestModels.endless(folder.resolve("endless"));
    GeneratorOptions options = GeneratorOptions.defaults();
    server =
        TestServer.of(
            List.of(
                ServedModel.load("hostile", hostile, options),
                ServedModel.load("endless", endless, options),
                ServedModel.load(
                    "embedder", TestModels.embedder(folder.resolve("embedder")), options),
                ServedModel.load("canal", TestModels.GOLDENS.resolve("chat-model"), options)),
            each -> each);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private Browser browser(int width, int height, boolean dark) throws Exception {
    assumeTrue(
        Browser.installed("chromium").isPresent() && Browser.installed("chromedriver").isPresent(),
        "the page is not tried: chromium and chromium-driver are not installed");
    return new Browser(profile.resolve(width + "x" + height), width, height, dark);
  }

  @Test
  void allows_its_own_script_and_style_alone() throws Exception {
    HttpResponse<String> page = server.get("/");
    String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
    assertTrue(policy.contains("default-src 'none'"), policy);
    assertTrue(policy.contains("script-src 'sha256-"), policy);
    assertFalse(policy.contains("unsafe"), policy);
    assertFalse(
        page.body().matches("(?s).*(src|href)=\"(http|//).*"), "it needs something outside");
    assertFalse(page.body().contains("innerHTML"));
  }

  @Test
  void chats_and_runs_nothing_that_a_model_writes() throws Exception {
    try (Browser browser = browser(1280, 860, false)) {
      browser.open(server.uri("/"));
      browser.await("document.querySelector('#model').value === 'hostile'");
      assertTrue(browser.run("return document.querySelectorAll('option')[2].disabled").asBoolean());
      browser.screenshot(PICTURES.resolve("empty.png"));
      browser.click("#open");
      browser.type("#seed", String.valueOf(seed));
      browser.screenshot(PICTURES.resolve("settings.png"));
      browser.click("#close");
      browser.type("#input", "w5 w6\uE007");
      browser.await("document.querySelector('.stats')");
      String expected = String.join(" ", PIECES).replaceAll("```(java)?\n", "");
      assertEquals(
          expected.replaceAll("\\s+", ""),
          browser
              .run("return document.querySelector('.assistant .text').textContent")
              .asText()
              .replaceAll("\\s+", ""));
      assertEquals("int metres = 26; // <b>bold</b>", browser.text(".assistant pre"));
      assertEquals(
          0,
          browser
              .run(
                  "return document.querySelectorAll('.text img, .text script, .text a, .text"
                      + " b').length")
              .asInt());
      assertEquals("Gatun", browser.run("return document.title").asText());
      assertTrue(browser.text(".stats").contains("6 tokens"), browser.text(".stats"));
      browser.screenshot(PICTURES.resolve("chat.png"));
      // What is kept comes back.
      browser.open(server.uri("/"));
      browser.await("document.querySelectorAll('#chats li').length === 1");
      browser.click("#chats .open");
      browser.await("document.querySelectorAll('.turn').length === 2");
      browser.click(".again");
      browser.await("document.querySelector('.stats')");
      assertEquals(2, browser.run("return document.querySelectorAll('.turn').length").asInt());
      // The policy stops what the page's own code would let through.
      browser.run(
          "try { const s = document.createElement('script'); s.textContent = 'document.title ="
              + " \"owned\"'; document.body.append(s); } catch { }"
              + " try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; } catch { }");
      assertEquals("Gatun", browser.run("return document.title").asText());
      assertEquals(2, browser.run("return document.querySelectorAll('.turn').length").asInt());
    }
  }

  /** What the model knows: its answer, its reasoning apart, and a second turn. */
  @Test
  void holds_a_conversation() throws Exception {
    try (Browser browser = browser(1280, 860, false)) {
      browser.open(server.uri("/"));
      browser.await("document.querySelector('#model').value === 'hostile'");
      browser.run(
          "document.querySelector('#model').value = 'canal';"
              + " document.querySelector('#temperature').value = 0;");
      browser.type("#input", "Where is the canal?\uE007");
      browser.await("document.querySelector('.stats')");
      assertEquals("In Panama, between two oceans.", browser.text(".assistant .text"));
      browser.type("#input", "How do ships climb?\uE007");
      browser.await("document.querySelectorAll('.stats').length === 2");
      assertEquals(
          "By three locks, 26 metres up to the lake.", browser.text(".turn:last-child .text"));
      browser.screenshot(PICTURES.resolve("conversation.png"));
      browser.click("#new");
      browser.type("#input", "How many locks are there?\uE007");
      browser.await("document.querySelector('.stats')");
      assertEquals("Six locks.", browser.text(".assistant > .text"));
      browser.click("summary");
      assertEquals("Three, one and two.", browser.text("details .text"));
      browser.screenshot(PICTURES.resolve("reasoning.png"));
    }
  }

  @Test
  void stops_a_stream() throws Exception {
    try (Browser browser = browser(1280, 860, true)) {
      browser.open(server.uri("/"));
      browser.await("document.querySelector('#model').value === 'hostile'");
      browser.run(
          "document.querySelector('#model').value = 'endless';"
              + " document.querySelector('#max_tokens').value = 90000;");
      browser.type("#input", "w5 w6\uE007");
      browser.await("/[0-9] tokens.s/.test(document.querySelector('#rate').textContent)");
      browser.screenshot(PICTURES.resolve("streaming-dark.png"));
      browser.click("#stop");
      browser.await("document.querySelector('.stats')");
      assertTrue(browser.text(".stats").contains("stopped"), browser.text(".stats"));
      long end = System.nanoTime() + 1_000_000_000L;
      while (server.metric("gatun_sequences_running{model=\"endless\"}") != 0) {
        assertTrue(System.nanoTime() < end, "the model goes on");
      }
    }
  }

  @Test
  void fits_a_phone_and_shows_errors() throws Exception {
    try (Browser browser = browser(500, 820, false)) {
      browser.open(server.uri("/"));
      browser.await("document.querySelector('#model').value === 'hostile'");
      browser.type("#input", "w5 ".repeat(600) + "\uE007");
      browser.await("document.querySelector('.problem')");
      assertTrue(browser.text(".problem").contains("512"), browser.text(".problem"));
      assertEquals(
          browser.run("return document.documentElement.clientWidth").asInt(),
          browser.run("return document.documentElement.scrollWidth").asInt());
      browser.screenshot(PICTURES.resolve("phone.png"));
    }
  }
}
