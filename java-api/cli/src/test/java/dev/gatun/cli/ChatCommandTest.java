package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ToolCallDelta;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations with a small model that knows a few questions by heart. */
class ChatCommandTest {
  private static final Path MODEL = Path.of("../../test/goldens/chat-model");

  @TempDir private Path folder;

  private String out;
  private String err;

  private int chat(String input, String... more) {
    List<String> arguments = new ArrayList<>(List.of("chat", "--model", MODEL.toString()));
    arguments.addAll(List.of(more));
    CommandRun run = CommandRun.of(new ModelLoader(), input, arguments.toArray(String[]::new));
    out = run.out();
    err = run.err();
    return run.code();
  }

  @Test
  void eachLineOfAPipeIsAMessage() {
    assertEquals(0, chat("Hello!\n\nTranslate:\\\nship\\\nlake\n/stats\n"), err);
    assertTrue(out.startsWith("Hello! Ask me about the canal.\nbarco\nlago\nlast answer: "), out);
    assertTrue(out.contains("context: "), out);
    // The first turn is in the cache, but for its last page.
    assertFalse(out.contains(" 0 of them cached, 0.00 s"), out);
    assertEquals("", err);
    // A file gets no reasoning.
    assertEquals(0, chat("How many locks are there?"), err);
    assertEquals("Six locks.\n", out);
  }

  @Test
  void aBlockIsOneMessageAndTwoSlashesAreOne() throws IOException {
    Path file = folder.resolve("chat.json");
    String block = "\"\"\"Translate:\nship\nlake\n\"\"\"\n";
    assertEquals(0, chat(block + "//x\n/save " + file), err);
    assertTrue(out.startsWith("barco\nlago\n"), out);
    JsonNode messages = new ObjectMapper().readTree(file.toFile()).get("messages");
    assertEquals("Translate:\nship\nlake", messages.get(0).get("content").textValue());
    assertEquals("/x", messages.get(2).get("content").textValue());
  }

  @Test
  void conversationsAreSavedAndGoneOnWith() throws IOException {
    Path file = folder.resolve("chat.json");
    String tools = "../../docs/demo/weather-tool.json";
    String input = "/system Be brief.\nHow warm is it in Colón?\n/save %s\n31 degrees\n";
    assertEquals(0, chat(input.formatted(file), "--tools", tools), err);
    assertEquals(
        "I look.\n[calls weather] {\"city\": \"Colón\"}\nIt is 31 degrees in Colón.\n", out);
    JsonNode messages = new ObjectMapper().readTree(file.toFile()).get("messages");
    assertEquals("Be brief.", messages.get(0).get("content").textValue());
    JsonNode call = messages.get(2).get("tool_calls").get(0);
    assertEquals("call00000", call.get("id").textValue());
    assertEquals("{\"city\": \"Colón\"}", call.at("/function/arguments").textValue());
    Path again = folder.resolve("again.json");
    assertEquals(0, chat("/load %s\n/save %s\n/system\n".formatted(file, again)), err);
    assertEquals(Files.readString(file), Files.readString(again));
    assertEquals("Be brief.\n", out);
    assertEquals(0, chat("/reset\n/system\n", "--load", file.toString(), "--system", "-x"), err);
    assertEquals("-x\n", out);
  }

  @Test
  void mistakesSayWhatIsWrong() throws IOException {
    assertEquals(1, chat("/nonsense\nHello!\n"));
    assertEquals("gatun: /nonsense is no command: /help lists them\n", err);
    assertEquals("", out);
    assertEquals(1, chat("/load " + folder.resolve("none.json")));
    assertTrue(err.startsWith("gatun: /load: there is no file "), err);
    assertTrue(err.endsWith("none.json\n"), err);
    Path file = folder.resolve("bad.json");
    Files.writeString(file, "{\"messages\": [{\"content\": \"x\"}]}");
    assertEquals(1, chat("/load " + file));
    assertTrue(err.endsWith("bad.json: messages[0] has no role\n"), err);
    Files.writeString(file, "{\n \"messages\": [}");
    assertEquals(1, chat("/load " + file));
    assertTrue(err.contains("bad.json, line 2, column "), err);
    assertEquals(1, chat("/save"));
    assertEquals("gatun: /save needs a file's name\n", err);
    assertEquals(1, chat("word ".repeat(2000)));
    assertTrue(err.startsWith("gatun: the conversation has "), err);
    assertEquals(2, chat("x", "--template-variable", "a=b"));
    assertTrue(err.startsWith("--template-variable: a=b is no JSON"), err);
    assertEquals(1, CommandRun.of(new ModelLoader(), "", "chat", "--model", "src").code());
    String plain = "../../test/goldens/decoders/llama";
    CommandRun run = CommandRun.of(new ModelLoader(), "", "chat", "--model", plain);
    assertEquals(1, run.code());
    assertTrue(run.err().contains("no chat template; looked for "), run.err());
  }

  /** Lines that a person types. */
  private static final class Typed implements ChatInput {
    private final Iterator<String> lines;
    private final List<String> prompts = new ArrayList<>();

    Typed(String... lines) {
      this.lines = List.of(lines).iterator();
    }

    @Override
    public boolean isInteractive() {
      return true;
    }

    @Override
    public String readLine(String prompt) throws InterruptedLine {
      prompts.add(prompt);
      String line = lines.hasNext() ? lines.next() : null;
      if (line != null && line.startsWith("^C")) {
        throw new InterruptedLine(line.equals("^C"));
      }
      return line;
    }

    @Override
    public void duringWork(Runnable interruption, Runnable work) {
      interruption.run();
      work.run();
    }

    @Override
    public void close() {}
  }

  @Test
  void aPersonMayErrAndStopAnswers() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            true,
            false,
            true);
    Typed typed = new Typed("^C", "^Cabc", "/nonsense", "Count.", "/exit", "Hello!");
    try (Chat chat = Chat.load(MODEL)) {
      new ChatConsole(chat, chat.session(), typed, terminal).run();
    }
    String told = err.toString(StandardCharsets.UTF_8);
    assertEquals(
        "gatun: Ctrl-D or /exit ends\n"
            + "gatun: /nonsense is no command: /help lists them\n"
            + "gatun: stopped\n",
        told);
    assertFalse(out.toString(StandardCharsets.UTF_8).contains("60."), out.toString());
    assertEquals("\u001b[1m> \u001b[0m", typed.prompts.getFirst());
    assertEquals(5, typed.prompts.size());
  }

  @Test
  void aTerminalIsNotGivenWhatItWouldObey() {
    for (boolean screen : List.of(true, false)) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
      ChatPrinter printer =
          new ChatPrinter(
              new Terminal(InputStream.nullInputStream(), print, print, screen, false, false));
      String evil = "\u001b]0;x\u0007**a**";
      printer.print(
          new ChatDelta(0, evil, evil, List.of(new ToolCallDelta(0, "1", evil, evil)), List.of()));
      String spelt = "^[]0;x^G**a**";
      String expected =
          screen
              ? spelt + "\n\n" + spelt + "\n[calls " + spelt + "] " + spelt
              : evil + "\n[calls " + evil + "] " + evil;
      assertEquals(expected, out.toString(StandardCharsets.UTF_8));
    }
  }
}
