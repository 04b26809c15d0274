package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TorchScript without {@code config.json}: code that hands its arguments on, and all other. */
final class ScriptTest {
  private static final String CODE = "code/__torch__.py";

  @TempDir private Path folder;

  /** An archive as {@code torch.jit.save} writes it. */
  private Path archive(String name, Map<String, String> records) throws IOException {
    Path file = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, String> record : records.entrySet()) {
        zip.putNextEntry(new ZipEntry("archive/" + record.getKey()));
        zip.write(record.getValue().getBytes(StandardCharsets.ISO_8859_1));
        zip.closeEntry();
      }
    }
    return file;
  }

  private static String pickle(String module, String type) {
    return "\u0080\u0002c" + module + "\n" + type + "\nq\0)\u0081}(X\b\0\0\0trainingq\1\u0089ub.";
  }

  private Path script(String arguments, String body) throws IOException {
    Map<String, String> records = new LinkedHashMap<>();
    records.put("data.pkl", pickle("__torch__", "Mine"));
    records.put(
        CODE,
        """
        class Mine(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(self: __torch__.Mine%s:
        %s\
        """
            .formatted(arguments, body.indent(4)));
    return archive("mine.pt", records);
  }

  /** The first numbers of what a script gives of arrays of 0, 1, 2, ... */
  private static float[] run(Path file, int arrays) throws Exception {
    try (Model model = Model.newInstance("mine", "Gatun")) {
      model.load(file);
      try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator());
          NDManager manager = NDManager.newBaseManager("Gatun")) {
        NDList given = new NDList();
        for (int i = 0; i < arrays; i++) {
          given.add(manager.create(new float[] {i, i + 10}));
        }
        NDList back = predictor.predict(given);
        float[] first = new float[back.size()];
        for (int i = 0; i < first.length; i++) {
          float[] all = back.get(i).toFloatArray();
          assertEquals(all[0] + 10, all[1]);
          first[i] = all[0];
        }
        return first;
      }
    }
  }

  @Test
  void an_argument_is_returned() throws Exception {
    Path file = script(",\n    data: Tensor) -> Tensor", "return data");
    Models.givingBack(() -> assertArrayEquals(new float[] {0}, run(file, 1)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "(b, a) | 1 0",
        "[a, c] | 0 2",
        "((a), [b, (c, a)], ) | 0 1 2 0",
        "(c,) | 2",
        "c | 2",
      })
  void groups_are_returned_in_their_order(String value, String expected) throws Exception {
    String[] indices = expected.split(" ");
    float[] wanted = new float[indices.length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = Float.parseFloat(indices[i]);
    }
    String arguments = ", a: Tensor, b: Tensor,\n    c: Tensor) -> Tuple[Tensor, Tensor]";
    assertArrayEquals(wanted, run(script(arguments, "return " + value), 3), value);
    assertArrayEquals(
        wanted, run(script(arguments, "_0 = " + value + "\nx = _0\nreturn x"), 3), value);
  }

  @Test
  void groups_are_taken_apart() throws Exception {
    Path file =
        script(
            ", a: Tensor, b: Tensor) -> Tensor",
            """
            _0 = (b, (a, b))
            x, _1, = _0
            y, z, = _1
            x, y = [y, x]

            return (z,
                x,
                y)
            """);
    assertArrayEquals(new float[] {1, 0, 1}, run(file, 2));
  }

  @Test
  void the_class_is_the_one_that_the_archive_names() throws Exception {
    Map<String, String> records = new LinkedHashMap<>();
    records.put("data.pkl", pickle("__torch__.lib.parts", "Second"));
    records.put(
        "code/__torch__/lib/parts.py",
        """
        class First(Module):
          def forward(self: __torch__.lib.parts.First,
            x: Tensor) -> Tensor:
            return torch.neg(x)
        class Second(Module):
          first : __torch__.lib.parts.First
          def other(self: __torch__.lib.parts.Second) -> str:
            return "def forward("
          def forward(self: __torch__.lib.parts.Second,
            x: Tensor,
            y: Tensor) -> Tensor:
            return y
          def last(self: __torch__.lib.parts.Second,
            x: Tensor) -> Tensor:
            return torch.neg(x)
        """);
    archive("mine.pt", records);
    Models.givingBack(
        () -> {
          // A directory's script, by the name of the model.
          try (ZooModel<NDList, NDList> model =
                  Criteria.builder()
                      .setTypes(NDList.class, NDList.class)
                      .optModelPath(folder)
                      .optModelName("mine")
                      .optEngine("Gatun")
                      .build()
                      .loadModel();
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList given = new NDList(manager.create(1f), manager.create(new float[] {2, 3}));
            assertArrayEquals(new float[] {2, 3}, predictor.predict(given).get(0).toFloatArray());
            assertArrayEquals(
                new Shape[] {new Shape(5)},
                model.getBlock().getOutputShapes(new Shape[] {new Shape(4), new Shape(5)}));
            assertTrue(model.getBlock().getParameters().isEmpty());
            assertThrows(TranslateException.class, () -> predictor.predict(given.subNDList(1)));
          }
        });
  }

  private static void isRefused(Path file, String... parts) throws Exception {
    try (Model model = Model.newInstance("mine", "Gatun")) {
      MalformedModelException e =
          assertThrows(MalformedModelException.class, () -> model.load(file));
      for (String part : parts) {
        assertTrue(e.getMessage().contains(part), e::getMessage);
      }
      assertTrue(e.getMessage().contains(file.toString()), e::getMessage);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "return torch.add(x, y) | calls torch.add",
        "_0 = torch.linear(x, self.weight, self.bias) | calls torch.linear",
        "return (self.part).forward(x, ) | has self.part",
        "return x] | has ]",
        "return z | has z",
        "return | has",
        "x, y, = (x, y, x) | other than 2 apart",
        "x, y, = x | other than 2 apart",
        "if x: | has",
        "x.data = y | has x.data",
        "_0 = x y | has y",
        "x | has",
        "pass | has",
      })
  void code_that_computes_is_refused(String body, String what) throws Exception {
    Path file = script(", x: Tensor, y: Tensor) -> Tensor", body);
    isRefused(file, what, "line 6 of " + CODE, "expected code that only hands its arguments on");
  }

  @Test
  void code_of_other_forms_is_refused() throws Exception {
    isRefused(script(", x: List[Tensor]) -> Tensor", "return x"), "argument x that is no Tensor");
    isRefused(script(", x: Tensor=None) -> Tensor", "return x"), "argument x that is no Tensor");
    isRefused(script(", x: int) -> int", "return x"), "argument x that is no Tensor");
    isRefused(script(", x: Tensor) -> Tensor", "_0 = x"), "has the end");
    isRefused(script(", x: Tensor) -> Tensor", "return (x, x"), "has the end");
    isRefused(
        script(", x: Tensor) -> Tensor", "return " + "(".repeat(60) + "x" + ")".repeat(60)),
        "brackets in one another");
    StringBuilder doubled = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      doubled.append("x = (x, x)\n");
    }
    isRefused(script(", x: Tensor) -> Tensor", doubled + "return x"), "more than 1000 tensors");
    isRefused(
        script(", x: Tensor) -> Tensor", "return x #" + "x".repeat(1 << 20)), "more than 1048576");
  }

  @Test
  void archives_without_a_module_are_refused() throws Exception {
    isRefused(
        archive("a.pt", Map.of("data.pkl", pickle("__torch__", "Mine"))), CODE + " is missing");
    isRefused(archive("b.pt", Map.of("data.pkl", "\u0080\u0002}q\0.")), "no module of TorchScript");
    isRefused(archive("c.pt", Map.of("version", "3\n")), "no module of TorchScript");
    isRefused(
        archive("d.pt", Map.of("data.pkl", pickle("__torch__", "Mine"), CODE, "class Other:\n")),
        "no forward of class Mine");
    isRefused(Files.writeString(folder.resolve("e.pt"), "no archive"), "no module of TorchScript");
    try (Model model = Model.newInstance("mine", "Gatun")) {
      assertThrows(FileNotFoundException.class, () -> model.load(folder));
    }
  }

  @Test
  void a_file_beside_its_configuration_is_its_model() throws Exception {
    Path golden = Models.GOLDENS.resolve("torch");
    Path file = Files.copy(golden.resolve("bert.pt"), folder.resolve("bert.pt"));
    Files.copy(golden.resolve("bert.json"), folder.resolve("config.json"));
    Models.givingBack(
        () -> {
          float[][] logits = new float[2][];
          for (int i = 0; i < 2; i++) {
            try (Model model = Model.newInstance("bert", "Gatun")) {
              model.load(i == 0 ? folder : file);
              try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator());
                  NDManager manager = NDManager.newBaseManager("Gatun")) {
                NDList ids = new NDList(manager.create(new long[][] {{1, 5, 3}}));
                logits[i] = predictor.predict(ids).get(0).toFloatArray();
              }
            }
          }
          assertArrayEquals(logits[0], logits[1]);
        });
    Files.copy(file, folder.resolve("other.pt"));
    isRefused(file, "one of several files of weights", "expected the directory");
  }
}
