package dev.gatun.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a person mistypes: one message says what is wrong, where, and what would be right. In
 * arguments and messages {@code @} is the test's folder, {@code WRITES} a decoder's directory,
 * {@code READS} an encoder's, {@code SUMS} that of an encoder-decoder.
 */
class WrongUsageTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");

  @TempDir private Path folder;

  @BeforeEach
  void files() throws IOException {
    Files.createDirectory(folder.resolve("folder"));
    Files.writeString(folder.resolve("empty"), "");
    Files.writeString(folder.resolve("text"), "some words\n");
    Files.writeString(folder.resolve("brace"), "{\n");
    Files.writeString(folder.resolve("object"), "{\"a\": 1}");
    Files.writeString(folder.resolve("numbers.jsonl"), "[1]\n");
    Files.write(folder.resolve("latin"), new byte[] {'a', (byte) 0xe9, 'b'});
    Files.writeString(folder.resolve("empty.gguf"), "");
    Files.copy(GOLDENS.resolve("chat-model/chat-q8_0.gguf"), folder.resolve("model.gguf"));
  }

  private String expanded(String text) {
    return text.replace("@", folder + "/")
        .replace("WRITES", GOLDENS.resolve("chat-model").toString())
        .replace("READS", GOLDENS.resolve("sentence-models/base").toString())
        .replace("SUMS", GOLDENS.resolve("text-to-text/t5").toString());
  }

  private CommandRun run(String arguments) {
    String[] split = Arrays.stream(arguments.split(" ")).map(this::expanded).toArray(String[]::new);
    return CommandRun.of(new ModelLoader(), "", split);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "generate --model @none --prompt x | @none: not a model directory, nor a GGUF file",
        "generate --model @folder --prompt x | @folder/config.json: there is no such file",
        "generate --model @empty.gguf --prompt x | @empty.gguf: byte 0: the file's kind takes 4",
        "generate --model READS --prompt x | 'model_type' is bert, an encoder, expected a decoder",
        "generate --model WRITES --cache-bytes 0 | --cache-bytes: 0, expected a number from 1",
        "generate --model WRITES --cache-dtype U8 | --cache-dtype: U8, expected F32, F16, BF16",
        "generate --model WRITES --activations int4 | --activations: int4, expected exact or int8",
        "generate --model WRITES --weights F8 | --weights: neither F32, BF16 nor F16, and no block",
        "generate --model WRITES --device gpu | device 'gpu': expected cpu, cuda or cuda:N",
        "generate --model WRITES --prompt x --grammar @none | --grammar: there is no file @none",
        "generate --model WRITES --prompt x --grammar @latin | byte 0xe9 at offset 1",
        "generate --model WRITES --prompt x --json-schema @folder | @folder is a directory",
        "generate --model WRITES --prompt x --json-schema @empty | @empty is empty, expected a"
            + " text",
        "generate --model WRITES --prompt x --json-schema @brace | expected close marker for"
            + " Object",
        "chat --model WRITES --load @none | --load: there is no file @none",
        "chat --model WRITES --load @folder | --load: @folder is a directory",
        "chat --model WRITES --load @brace | --load: @brace, line 2, column 1: expected JSON",
        "chat --model WRITES --tools @empty | --tools: @empty is empty, expected a text",
        "chat --model WRITES --tools @object | --tools: @object has no list of tools, expected [",
        "chat --model WRITES --tools @numbers.jsonl | tool 1 is no object, expected {",
        "serve --model WRITES --cache-bytes -1 | --cache-bytes: -1, expected a number from 1",
        "serve --model x=@none | @none: not a model directory, nor a GGUF file",
        "translate --model WRITES --text x | expected an encoder-decoder, which reads one",
        "perplexity --model WRITES @none | the text: there is no file @none",
        "perplexity --model WRITES @folder | the text: @folder is a directory, expected a text",
        "perplexity --model WRITES @empty | the text: @empty is empty, expected a text",
        "perplexity --model WRITES @latin | @latin: not UTF-8: byte 0xe9 at offset 1",
        "perplexity --model SUMS @text | 'model_type' is t5, an encoder-decoder, expected one of",
        "inspect @none | @none: there is no such file or directory",
        "quantize --model WRITES --to INT8 @none/out | @none/out: there is no directory @none",
        "quantize --model WRITES --to Q8_0 @none/out.gguf | there is no directory @none",
        "quantize --model WRITES --to Q8_0 @out.gguf --text @none | --text: there is no file @none",
        "quantize --model WRITES --to Q8_0 @out.gguf --text @empty | --text: @empty is empty",
        "quantize --model WRITES --to Q8_0 @out.gguf --imatrix-text @folder | is a directory",
        "quantize-report READS --texts @latin | --texts: @latin: not UTF-8: byte 0xe9 at offset 1",
        "quantize-report READS --texts @none | --texts: there is no file @none",
        "quantize-report WRITES | 'model_type' is qwen3, a decoder, and nothing says how",
        "search x @none --model READS | @none: no such file or directory",
        "search x @text --model WRITES | 'model_type' is qwen3, a decoder, and nothing says"
            + " how",
        "search x @text --model READS --index @text | @text: not a Gatun index, left as it is",
        "train --model @text --objective clm --data @text --output_dir @out | @text: not a model",
        "train --config @folder --objective clm --data @text --output_dir @out | no file @folder",
        "train --model WRITES --objective clm --data @folder --output_dir @out | is a directory",
        "train --model WRITES --objective clm --data @none --output_dir @out | @none: there is no",
        "train --model WRITES --objective clm --data @text --output_dir @text | @text cannot be"
            + " made",
        "train --model WRITES --objective clm --data @numbers.jsonl --output_dir @out | found"
            + " Array",
      })
  void what_is_wrong_is_told_in_a_line(String arguments, String message) {
    CommandRun run = run(arguments);
    assertEquals(1, run.code(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("gatun: "), run.err());
    assertTrue(run.err().contains(expanded(message)), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertFalse(run.err().contains("Exception") || run.err().contains("REDACTED"), run.err());
    assertFalse(Files.exists(folder.resolve("out.gguf")), "nothing is written");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "info nonsense | Unmatched argument at index 1",
        "generate --prompt x | Missing required option",
        "generate --model WRITES --nonsense | Unknown option",
        "generate --model WRITES --prompt x --top-k few | is not an int",
        "generate --model WRITES --prompt x --regex a --json-object | are mutually exclusive",
        "serve --model WRITES --parallel 0 | --parallel: 0, expected a number from 1",
        "serve --model WRITES --queue-length -1 | --queue-length: -1, expected a number from 0",
        "serve --model WRITES --queue-seconds 0 | --queue-seconds: 0, expected a number from 1",
        "serve --model WRITES --shutdown-seconds -1 | --shutdown-seconds: -1, expected a number",
        "summarize --model SUMS --part-tokens 0 | --part-tokens: 0, expected a number from 1",
        "inspect @text @text | Unmatched argument at index 2",
        "quantize --model WRITES --to Q9 @out.gguf | --to: Q9, expected one of F32, F16, BF16",
        "quantize --model @model.gguf --to Q8_0 @model.gguf | is the model that is read",
        "quantize --model WRITES --to Q8_0 @out.gguf --window 4 | of the comparison that --text",
        "quantize --model WRITES --to Q8_0 @out.gguf --text @text --window 1 | expected 2 at least",
        "search x @text --rebuild-index | --rebuild-index: is of the index that --index FILE names",
        "search x @text --top 0 | --top 0: must be at least 1",
        "train --objective clm --data @text --output_dir @out | give one of --model",
        "info --josn | Unknown option",
      })
  void wrong_usage_is_told_with_the_right_one(String arguments, String message) {
    CommandRun run = run(arguments);
    assertEquals(2, run.code(), run.err());
    assertEquals("", run.out());
    assertTrue(run.err().lines().findFirst().orElse("").contains(message), run.err());
    assertTrue(run.err().contains("Usage: gatun"), run.err());
    assertFalse(Files.exists(folder.resolve("out.gguf")), "nothing is written");
  }

  @Test
  void standard_input_that_is_no_text_is_refused() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(new byte[] {'a', (byte) 0xe9, 'b'}),
            new PrintStream(OutputStream.nullOutputStream()),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false,
            false);
    assertEquals(
        1, Gatun.run(terminal, new ModelLoader(), "generate", "--model", expanded("WRITES")));
    assertEquals(
        "gatun: (standard input): not UTF-8: byte 0xe9 at offset 1\n",
        err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void too_little_memory_is_told_with_what_would_help() {
    EmbedderLoader loader =
        new EmbedderLoader() {
          @Override
          public Embedder load(Path directory, String device, SearchPrompts prompts) {
            throw new OutOfMemoryError("Java heap space");
          }

          @Override
          public String backend(String device) {
            return device;
          }
        };
    CommandRun run = CommandRun.of(loader, "", "search", "x", expanded("@text"));
    assertEquals(1, run.code());
    assertEquals(
        "gatun: the JVM is out of memory (Java heap space): GATUN_OPTS=-Xmx8g gives it more\n",
        run.err());
  }
}
