package dev.gatun.bench;

import ai.djl.engine.Engine;
import ai.djl.huggingface.translator.TextEmbeddingTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import dev.gatun.bench.training.DjlTraining;
import dev.gatun.bench.training.TrainingCase;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A program of DJL's, from texts to vectors by its {@code TextEmbeddingTranslator}, on one of its
 * engines; all else is the same. The model is all-MiniLM-L6-v2, PyTorch's as TorchScript with
 * PyTorch's fused attention.
 */
final class DjlSubject implements Subject {
  private static final String PREFIX = "translator-";

  /** A short text. */
  static final String ONE_TEXT = "translator-one-text";

  /** A short text each from threads of their own, on one model. */
  private static final String CROWD = "translator-1000-threads";

  /** Whether a case's name is one of these. */
  static boolean isName(String name) {
    return name.startsWith(PREFIX);
  }

  static final List<String> CASES =
      List.of(
          "translator-32x128",
          "translator-ragged-32",
          ONE_TEXT,
          CROWD,
          ResNet.CASE,
          "step/minilm/32x128",
          "step/bert-base/8x128");

  private static final int LENGTH = 128;
  private static final String[] WORDS =
      "ship canal lock gate water lake rain pilot rope tide steel crane river train".split(" ");

  private final String engine;
  private final ZooModel<String, float[]> model;
  private final Predictor<String, float[]> predictor;
  private DjlTraining training;
  private ResNet network;

  /**
   * @param directory beside which the model's files are made
   */
  DjlSubject(String engine, Path directory) throws Exception {
    this.engine = engine;
    Path files = Model.unpack(directory.resolveSibling("djl-model"));
    if (engine.equals("PyTorch")) {
      TorchScript.MINILM_STATES.write(files);
    } else {
      files = huggingFace(files, directory.resolveSibling("djl-model-hf"));
    }
    model =
        Criteria.builder()
            .setTypes(String.class, float[].class)
            .optModelPath(files)
            .optModelName("model")
            .optEngine(engine)
            .optTranslatorFactory(new TextEmbeddingTranslatorFactory())
            .optArgument("includeTokenTypes", true)
            .optArgument("maxLength", LENGTH)
            .build()
            .loadModel();
    predictor = model.newPredictor();
  }

  /** A directory as Hugging Face has it, made of the model's graph on the first call. */
  private static Path huggingFace(Path files, Path directory) throws IOException {
    if (!Files.exists(directory)) {
      Path part = Files.createTempDirectory(directory.toAbsolutePath().getParent(), "hf");
      try (EncoderModel whole = AutoModel.forTraining(files, null, Device.cpu())) {
        whole.save(part);
      }
      Files.move(part, directory, StandardCopyOption.ATOMIC_MOVE);
    }
    return directory;
  }

  private DjlTraining training() {
    if (training == null) {
      training =
          engine.equals("PyTorch")
              ? TorchScript.trainer()
              : new DjlTraining(
                  engine,
                  trained -> {
                    try {
                      return trained.directory(TrainingCase.FOLDER);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  });
    }
    return training;
  }

  @Override
  public Task task(String name) throws Exception {
    if (TrainingCase.isName(name)) {
      return training().task(name);
    }
    if (name.equals(ResNet.CASE)) {
      network = network == null ? new ResNet(engine) : network;
      return network;
    }
    List<String> texts = texts(name);
    return new Task() {
      @Override
      public void run() throws Exception {
        vectors();
      }

      @Override
      public float[] result() throws Exception {
        return Vectors.flat(vectors().toArray(float[][]::new));
      }

      private List<float[]> vectors() throws Exception {
        return name.equals(CROWD) ? crowd(texts) : predictor.batchPredict(texts);
      }
    };
  }

  private static List<String> texts(String name) {
    Random random = new Random(1);
    return switch (name.substring(PREFIX.length())) {
      case "32x128" -> texts(random, 32, LENGTH, LENGTH);
      case "ragged-32" -> texts(random, 32, 8, LENGTH);
      case "1000-threads" -> texts(random, 1000, 8, 24);
      default -> List.of(Work.QUESTION);
    };
  }

  /** Texts of words that are a token each; two more tokens are around them. */
  private static List<String> texts(Random random, int count, int least, int most) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> words = new ArrayList<>();
      for (int n = random.nextInt(least, most + 1) - 2; n > 0; n--) {
        words.add(WORDS[random.nextInt(WORDS.length)]);
      }
      texts.add(String.join(" ", words));
    }
    return texts;
  }

  private List<float[]> crowd(List<String> texts) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<float[]>> vectors = new ArrayList<>();
      for (String text : texts) {
        vectors.add(
            threads.submit(
                () -> {
                  try (Predictor<String, float[]> own = model.newPredictor()) {
                    return own.predict(text);
                  }
                }));
      }
      List<float[]> all = new ArrayList<>();
      for (Future<float[]> vector : vectors) {
        all.add(vector.get());
      }
      return all;
    }
  }

  @Override
  public String version() {
    return "DJL's engine %s %s".formatted(engine, Engine.getEngine(engine).getVersion());
  }

  @Override
  public void close() {
    predictor.close();
    model.close();
    if (training != null) {
      training.close();
    }
    if (network != null) {
      network.close();
    }
  }
}
