package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.huggingface.translator.ZeroShotImageClassificationTranslatorFactory;
import ai.djl.huggingface.translator.ZeroShotObjectDetectionTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.modality.Classifications;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.modality.cv.VisionLanguageInput;
import ai.djl.modality.cv.output.DetectedObjects;
import ai.djl.modality.cv.output.Rectangle;
import ai.djl.modality.cv.translator.YoloWorldTranslatorFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorFactory;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * DJL's translators of images and texts, over blocks of known outputs: what they make of an image
 * and of arrays is this engine's.
 */
final class VisionTranslatorsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Twice as wide as high, red. */
  private static final int WIDTH = 20;

  private static final int HEIGHT = 10;

  @TempDir private Path folder;

  private BufferedImage image() throws IOException {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < WIDTH; x++) {
      for (int y = 0; y < HEIGHT; y++) {
        image.setRGB(x, y, 0xff0000);
      }
    }
    ImageIO.write(image, "png", folder.resolve("red.png").toFile());
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Path file = folder.resolve(name);
      if (!Files.exists(file)) {
        Files.copy(Models.GOLDENS.resolve("sentence-models/base").resolve(name), file);
      }
    }
    return image;
  }

  private <I, O> ZooModel<I, O> load(
      Class<I> input,
      Class<O> output,
      Function<NDList, NDList> block,
      TranslatorFactory factory,
      Map<String, Object> arguments)
      throws Exception {
    return Criteria.builder()
        .setTypes(input, output)
        .optModelPath(folder)
        .optBlock(new LambdaBlock(block, "model"))
        .optEngine("Gatun")
        .optOption("hasParameter", "false")
        .optTranslatorFactory(factory)
        .optArguments(new HashMap<>(arguments))
        .build()
        .loadModel();
  }

  /** What a server would send for the image and these labels. */
  private JsonNode serve(Predictor<Input, Output> predictor, String... labels) throws Exception {
    Map<String, Object> request = new HashMap<>();
    request.put("image_url", folder.resolve("red.png").toUri().toString());
    if (labels.length > 0) {
      request.put("candidate_labels", labels);
      request.put("hypothesis_template", "{}");
    }
    Input input = new Input();
    input.add(JSON.writeValueAsString(request));
    return JSON.readTree(predictor.predict(input).getData().getAsString());
  }

  /** Scores that count each text's tokens and the red of the image. */
  private static NDList counted(NDList inputs) {
    NDArray image = inputs.get(inputs.size() - 1);
    assertEquals(new Shape(1, 3, 8, 8), image.getShape());
    assertEquals(0, image.get(":, 1:").max().getFloat());
    NDArray tokens = inputs.get(1).sum(new int[] {1}).toType(DataType.FLOAT32, false);
    NDArray logits = tokens.mul(image.get(0, 0).mean().mul(0.5f)).expandDims(0);
    logits.setName("logits_per_image");
    return new NDList(logits);
  }

  @Test
  void images_have_the_classes_of_texts() throws Exception {
    BufferedImage image = image();
    // [CLS] x [SEP] and [CLS] x y z [SEP].
    String[] labels = {"x", "x y z"};
    double expected = 1 / (1 + Math.exp(0.5 * 3 - 0.5 * 5));
    Map<String, Object> arguments =
        Map.of("width", 8, "height", 8, "resize", true, "toTensor", true);
    var factory = new ZeroShotImageClassificationTranslatorFactory();
    Models.givingBack(
        () -> {
          try (ZooModel<VisionLanguageInput, Classifications> model =
                  load(
                      VisionLanguageInput.class,
                      Classifications.class,
                      VisionTranslatorsTest::counted,
                      factory,
                      arguments);
              Predictor<VisionLanguageInput, Classifications> predictor = model.newPredictor()) {
            Classifications classes =
                predictor.predict(
                    new VisionLanguageInput(
                        ImageFactory.getInstance().fromImage(image), null, labels, "{}"));
            assertEquals("x y z", classes.best().getClassName());
            assertEquals(expected, classes.best().getProbability(), 1e-6);
            assertEquals(1 - expected, classes.get("x").getProbability(), 1e-6);
          }
          try (ZooModel<Input, Output> model =
                  load(
                      Input.class,
                      Output.class,
                      VisionTranslatorsTest::counted,
                      factory,
                      arguments);
              Predictor<Input, Output> predictor = model.newPredictor()) {
            JsonNode best = serve(predictor, labels).get(0);
            assertEquals("x y z", best.get("className").asText());
            assertEquals(expected, best.get("probability").asDouble(), 1e-6);
            assertThrows(TranslateException.class, () -> serve(predictor));
          }
        });
  }

  /** Two boxes of four have a label's score above one half; the middles of boxes come first. */
  private static NDList found(NDList inputs) {
    NDManager manager = inputs.getManager();
    float[] scores = {-3, -2, 1, 0.5f, -1, -9, 0.25f, 2};
    float[] boxes = {
      0, 0, 0, 0, 0.5f, 0.25f, 0.5f, 0.25f, 0.1f, 0.1f, 0.1f, 0.1f, 0.75f, 0.125f, 0.25f, 0.125f
    };
    NDArray logits = manager.create(scores, new Shape(1, 4, 2));
    logits.setName("logits");
    NDArray middles = manager.create(boxes, new Shape(1, 4, 4));
    middles.setName("pred_boxes");
    return new NDList(logits, middles);
  }

  @Test
  void objects_are_found_by_texts() throws Exception {
    BufferedImage image = image();
    String[] labels = {"a", "b"};
    double[] expected = {1 / (1 + Math.exp(-2)), 1 / (1 + Math.exp(-1))};
    var factory = new ZeroShotObjectDetectionTranslatorFactory();
    Map<String, Object> arguments =
        Map.of("width", 8, "height", 8, "resize", true, "toTensor", true, "threshold", "0.5");
    Models.givingBack(
        () -> {
          try (ZooModel<VisionLanguageInput, DetectedObjects> model =
                  load(
                      VisionLanguageInput.class,
                      DetectedObjects.class,
                      VisionTranslatorsTest::found,
                      factory,
                      arguments);
              Predictor<VisionLanguageInput, DetectedObjects> predictor = model.newPredictor()) {
            DetectedObjects objects =
                predictor.predict(
                    new VisionLanguageInput(ImageFactory.getInstance().fromImage(image), labels));
            assertEquals(2, objects.getNumberOfObjects());
            DetectedObjects.DetectedObject best = objects.best();
            assertEquals("b", best.getClassName());
            assertEquals(expected[0], best.getProbability(), 1e-6);
            // The image is padded to a square: heights are of its width.
            Rectangle bounds = best.getBoundingBox().getBounds();
            assertArrayEquals(
                new double[] {0.625, 0.125, 0.25, 0.25},
                new double[] {bounds.getX(), bounds.getY(), bounds.getWidth(), bounds.getHeight()},
                1e-6);
          }
          try (ZooModel<Input, Output> model =
                  load(
                      Input.class, Output.class, VisionTranslatorsTest::found, factory, arguments);
              Predictor<Input, Output> predictor = model.newPredictor()) {
            JsonNode objects = serve(predictor, labels);
            assertEquals(2, objects.size());
            assertEquals("b", objects.get(0).get("className").asText());
            assertEquals(expected[0], objects.get(0).get("probability").asDouble(), 1e-6);
            assertEquals("a", objects.get(1).get("className").asText());
            assertEquals(expected[1], objects.get(1).get("probability").asDouble(), 1e-6);
            assertThrows(TranslateException.class, () -> serve(predictor));
          }
        });
  }

  /** A text encoder of TorchScript that gives the ids themselves. */
  private void handingOn() throws IOException {
    Files.writeString(
        folder.resolve("vocab.json"),
        """
        {"<|startoftext|>": 7, "<|endoftext|>": 8, "a</w>": 3, "bc</w>": 4}\
        """);
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nb c</w>\n");
    try (var out = Files.newOutputStream(folder.resolve("clip.pt"));
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("clip/data.pkl"));
      String pickle = "\u0080\u0002c__torch__\nIds\nq\0)\u0081}b.";
      zip.write(pickle.getBytes(StandardCharsets.ISO_8859_1));
      zip.putNextEntry(new ZipEntry("clip/code/__torch__.py"));
      zip.write(
          """
          class Ids(Module):
            def forward(self: __torch__.Ids,
              ids: Tensor) -> Tensor:
              return ids
          """
              .getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /** One box, whose classes' scores are tenths of the first token of each text. */
  private static NDList scored(NDList inputs) {
    NDArray ids = inputs.get(0);
    assertEquals(new Shape(2, 77), ids.getShape());
    assertArrayEquals(
        new int[] {7, 7, 8, 8}, ids.get(":, ::2").get(":, :2").transpose().toIntArray());
    NDArray scores = ids.get(":, 1").toType(DataType.FLOAT32, false).div(10);
    NDArray box = inputs.getManager().create(new float[] {10, 5, 4, 2});
    return new NDList(box.concat(scores).reshape(1, 6, 1));
  }

  @Test
  void objects_are_found_by_an_encoder_of_texts() throws Exception {
    BufferedImage image = image();
    handingOn();
    try (ZooModel<VisionLanguageInput, DetectedObjects> model =
            load(
                VisionLanguageInput.class,
                DetectedObjects.class,
                VisionTranslatorsTest::scored,
                new YoloWorldTranslatorFactory(),
                Map.of("toTensor", true, "clipModelPath", "clip.pt"));
        Predictor<VisionLanguageInput, DetectedObjects> predictor = model.newPredictor()) {
      DetectedObjects objects =
          predictor.predict(
              new VisionLanguageInput(
                  ImageFactory.getInstance().fromImage(image), new String[] {"a", "bc"}));
      assertEquals(1, objects.getNumberOfObjects());
      DetectedObjects.DetectedObject best = objects.best();
      assertEquals("bc", best.getClassName());
      assertEquals(0.4, best.getProbability(), 1e-6);
      Rectangle bounds = best.getBoundingBox().getBounds();
      assertArrayEquals(
          new double[] {8.0 / WIDTH, 4.0 / HEIGHT, 4.0 / WIDTH, 2.0 / HEIGHT},
          new double[] {bounds.getX(), bounds.getY(), bounds.getWidth(), bounds.getHeight()},
          1e-6);
    }
  }
}
