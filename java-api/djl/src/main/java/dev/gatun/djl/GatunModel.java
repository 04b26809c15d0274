package dev.gatun.djl;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A model of a directory: Hugging Face's {@code config.json} with weights, or a GGUF file; or of a
 * block that a program made, with DJL's {@code .params}.
 */
final class GatunModel extends BaseModel {
  /** What the names of weights' files end in, which are no artifacts. */
  private static final List<String> WEIGHTS = List.of(".safetensors", ".gguf", ".pt", ".bin");

  GatunModel(String name, Device device) {
    super(name);
    manager = GatunNDManager.system().newSubManager(device);
    manager.setName("gatunModel");
    dataType = DataType.FLOAT32;
  }

  @Override
  public void load(Path modelPath, String prefix, Map<String, ?> options)
      throws IOException, MalformedModelException {
    setModelDir(modelPath);
    wasLoaded = true;
    if (block != null) {
      loadBlock(prefix == null ? modelName : prefix, options);
      return;
    }
    requireFiles(modelPath);
    Path files = modelDir;
    if (Files.isRegularFile(modelDir)) {
      modelDir = modelDir.toAbsolutePath().getParent();
      if (isScript(files)) {
        if (Files.isRegularFile(modelDir.resolve("config.json"))) {
          requireOnly(files);
          files = modelDir;
        } else {
          loadScript(files, options);
          return;
        }
      }
    } else if (!hasModel(modelDir)) {
      loadScript(scriptIn(modelDir, prefix == null ? modelName : prefix), options);
      return;
    }
    ModelOptions read = ModelOptions.of(options);
    try {
      block = GatunSymbolBlock.load((GatunNDManager) manager, files, read);
    } catch (FileSystemException e) {
      if (Files.isRegularFile(files)) {
        throw new MalformedModelException(
            "%s: expected a GGUF file, TorchScript, or the directory of a model".formatted(files),
            e);
      }
      throw e;
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new MalformedModelException(e.getMessage(), e);
    }
  }

  private static boolean isScript(Path file) {
    return file.toString().endsWith(".pt");
  }

  private void loadScript(Path file, Map<String, ?> options)
      throws IOException, MalformedModelException {
    ModelOptions.of(options);
    block = new ScriptBlock(Script.read(file));
  }

  /** The TorchScript of a directory: by the model's name, or the directory's. */
  private static Path scriptIn(Path folder, String name) throws IOException {
    Path named = folder.toAbsolutePath().normalize().getFileName();
    for (String each : List.of(name, named == null ? name : named.toString())) {
      Path file = folder.resolve(each.endsWith(".pt") ? each : each + ".pt");
      if (Files.isRegularFile(file)) {
        return file;
      }
    }
    throw new FileNotFoundException(
        "%s: neither config.json nor a GGUF file, expected a Hugging Face directory or one of them"
            .formatted(folder));
  }

  /**
   * A directory is loaded by its {@code config.json}: a file of it is its model, or says little.
   */
  private static void requireOnly(Path file) throws IOException, MalformedModelException {
    try (Stream<Path> files = Files.list(file.toAbsolutePath().getParent())) {
      if (files.filter(each -> WEIGHTS.stream().anyMatch(each.toString()::endsWith)).count() > 1) {
        throw new MalformedModelException(
            "%s: one of several files of weights beside config.json, expected the directory"
                .formatted(file));
      }
    }
  }

  /** Reads the parameters of the block that a program set, as {@link #save} wrote them. */
  @Override
  public void load(InputStream is, Map<String, ?> options)
      throws IOException, MalformedModelException {
    if (block == null) {
      throw new IllegalStateException(
          "load: a stream has parameters alone and the model has no block, expected setBlock"
              + " first");
    }
    wasLoaded = true;
    parametersFrom("the stream", () -> readParameters(is, options));
  }

  private void requireFiles(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new FileNotFoundException("%s: there is no such directory or file".formatted(path));
    }
  }

  @Override
  protected boolean readParameters(Path paramFile, Map<String, ?> options)
      throws IOException, MalformedModelException {
    if (!Files.isRegularFile(paramFile)) {
      throw new FileNotFoundException("%s: there is no such file".formatted(paramFile));
    }
    parametersFrom(paramFile, () -> super.readParameters(paramFile, options));
    return true;
  }

  /** Reads parameters, and says whether they are DJL's. */
  private interface Reading {
    boolean run() throws IOException, MalformedModelException;
  }

  private static void parametersFrom(Object source, Reading reading)
      throws IOException, MalformedModelException {
    try {
      if (reading.run()) {
        return;
      }
    } catch (EOFException | RuntimeException | OutOfMemoryError e) {
      // DJL's decoders take lengths from the file as they come.
      throw new MalformedModelException(
          "%s: damaged, or cut: its parameters do not end where they should (%s)"
              .formatted(source, e),
          e);
    }
    throw new MalformedModelException(
        "%s: it does not begin with DJL@, expected parameters that DJL's Model.save wrote"
            .formatted(source));
  }

  @Override
  public void save(Path modelPath, String newModelName) throws IOException {
    if (block instanceof GatunSymbolBlock own) {
      own.save(modelPath);
    } else {
      super.save(modelPath, newModelName);
    }
  }

  @Override
  public Trainer newTrainer(TrainingConfig trainingConfig) {
    if (block == null) {
      throw new IllegalStateException(
          "newTrainer: the model has no block, expected setBlock first");
    }
    if (wasLoaded) {
      // Weights of a file are frozen; what a block counts itself stays so.
      block.freezeParameters(
          false,
          parameter ->
              parameter.getType() != Parameter.Type.RUNNING_MEAN
                  && parameter.getType() != Parameter.Type.RUNNING_VAR);
    }
    trainingConfig
        .getInitializers()
        .forEach(pair -> block.setInitializer(pair.getKey(), pair.getValue()));
    Trainer trainer = new Trainer(this, trainingConfig);
    // Its steps ask for the same blocks of memory, until it is closed.
    ((GatunNDManager) trainer.getManager())
        .attachInternal(NDManager.nextUid(), dev.gatun.tensor.Device.cpu().memory().repeat());
    return trainer;
  }

  private static boolean hasModel(Path folder) throws IOException {
    if (Files.isRegularFile(folder.resolve("config.json"))) {
      return true;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> file.toString().endsWith(".gguf"));
    }
  }

  @Override
  public String[] getArtifactNames() {
    try (Stream<Path> files = Files.walk(modelDir)) {
      List<String> names =
          files
              .filter(Files::isRegularFile)
              .map(file -> modelDir.relativize(file).toString())
              .filter(name -> WEIGHTS.stream().noneMatch(name::endsWith))
              .sorted()
              .toList();
      return names.toArray(String[]::new);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(
          "%s: its files cannot be listed".formatted(modelDir), e);
    }
  }
}
