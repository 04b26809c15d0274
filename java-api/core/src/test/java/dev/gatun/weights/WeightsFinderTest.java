package dev.gatun.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gatun.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class WeightsFinderTest {
  @Test
  void the_dependency_that_is_missing_is_named() {
    Path file = Path.of("model.onnx");
    String said =
        assertThrows(WeightsException.class, () -> WeightsFinder.provided(file, ".onnx", List.of()))
            .getMessage();
    assertEquals(
        "model.onnx: nothing here reads ONNX: add the dependency dev.gatun:gatun-onnx", said);
  }

  @Test
  void what_git_lfs_has_not_fetched_is_told(@TempDir Path folder) throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90405214\n";
    for (String name :
        List.of("model.safetensors", "model.safetensors.index.json", "tokenizer.json")) {
      Path file = Files.writeString(folder.resolve(name), pointer);
      Executable opening =
          name.startsWith("model") ? () -> TensorFile.open(file) : () -> Tokenizer.load(file);
      String said = assertThrows(RuntimeException.class, opening).getMessage();
      assertEquals(
          file
              + ": a pointer of git-lfs, not the file that it stands for: git lfs pull fetches"
              + " that",
          said);
    }
  }
}
