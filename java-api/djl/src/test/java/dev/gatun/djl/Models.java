package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The small models of the goldens as directories that DJL's programs load. */
final class Models {
  static final Path GOLDENS = Path.of("../../test/goldens");

  private static final Path TOKENIZER = GOLDENS.resolve("sentence-models/base");

  private Models() {}

  /** A golden's model with a tokenizer whose ids it has, in a folder. */
  static Path with(Path folder, String golden) throws IOException {
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDENS.resolve(golden).resolve(name), folder.resolve(name));
    }
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(TOKENIZER.resolve(name), folder.resolve(name));
    }
    return folder;
  }

  /** A model as a block, by the engine {@code Gatun}. */
  static ZooModel<NDList, NDList> load(Path path, String... options) throws Exception {
    Criteria.Builder<NDList, NDList> criteria =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(path)
            .optTranslator(new NoopTranslator())
            .optEngine("Gatun");
    for (String option : options) {
      criteria.optOption(option.split("=")[0], option.split("=")[1]);
    }
    return criteria.build().loadModel();
  }

  /** A piece of a test. */
  interface Work {
    void run() throws Exception;
  }

  /**
   * The same where DJL leaves arrays to the garbage collector, as its optimizers do with their
   * states.
   */
  static void givingBackInTheEnd(Work work) throws Exception {
    long before = Device.cpu().memory().allocatedBytes();
    work.run();
    for (int i = 0; i < 50 && Device.cpu().memory().allocatedBytes() > before; i++) {
      System.gc();
      Thread.sleep(20);
    }
    long after = Device.cpu().memory().allocatedBytes();
    assertTrue(after <= before, "%d bytes are held, before %d".formatted(after, before));
  }

  /** Runs it and requires that all memory of the processor's tensors is given back. */
  static void givingBack(Work work) throws Exception {
    long before = Device.cpu().memory().allocatedBytes();
    work.run();
    assertEquals(before, Device.cpu().memory().allocatedBytes(), "memory is given back");
  }
}
