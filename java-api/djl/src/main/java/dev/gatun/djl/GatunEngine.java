package dev.gatun.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.SymbolBlock;
import ai.djl.training.GradientCollector;

/**
 * DJL's engine over Gatun: {@code Engine.getEngine("Gatun")}, or the default where it stands on the
 * class path, before PyTorch, whose rank is 2. Arrays are on the processor.
 */
public final class GatunEngine extends Engine {
  /** The name by which programs ask for it. */
  public static final String NAME = "Gatun";

  /** DJL takes the engine of the lowest rank for the default. */
  static final int RANK = 1;

  private final String name;
  private final int rank;

  GatunEngine(String name, int rank) {
    this.name = name;
    this.rank = rank;
    openAhead();
  }

  /** The library of kernels is loaded while the program reads its model's files. */
  private static void openAhead() {
    Thread.ofPlatform()
        .daemon()
        .name("gatun-open")
        .start(
            () -> {
              try {
                dev.gatun.tensor.Device.cpu();
              } catch (RuntimeException | LinkageError e) {
                // Whoever asks for the device is told.
              }
            });
  }

  @Override
  public Engine getAlternativeEngine() {
    return null;
  }

  @Override
  public String getEngineName() {
    return name;
  }

  @Override
  public int getRank() {
    return rank;
  }

  @Override
  public String getVersion() {
    String version = GatunEngine.class.getPackage().getImplementationVersion();
    return version == null ? "0.1.0" : version;
  }

  @Override
  public boolean hasCapability(String capability) {
    // DJL's are CUDA, cuDNN, MKL, oneDNN and OpenMP: arrays are on the processor, by own kernels.
    return false;
  }

  @Override
  public Device defaultDevice() {
    return Device.cpu();
  }

  @Override
  public int getGpuCount() {
    return 0;
  }

  @Override
  public SymbolBlock newSymbolBlock(NDManager manager) {
    throw new UnsupportedOperationException(
        "newSymbolBlock: the engine Gatun makes blocks of a model's directory alone, by"
            + " Model.load");
  }

  @Override
  public Model newModel(String name, Device device) {
    return new GatunModel(name, device);
  }

  @Override
  public NDManager newBaseManager() {
    return GatunNDManager.system().newSubManager();
  }

  @Override
  public NDManager newBaseManager(Device device) {
    return GatunNDManager.system().newSubManager(device);
  }

  @Override
  public GradientCollector newGradientCollector() {
    return new GatunGradientCollector();
  }

  @Override
  public void setRandomSeed(int seed) {
    super.setRandomSeed(seed);
    Randoms.seed(seed);
  }

  @Override
  public String toString() {
    return "%s:%s, %s".formatted(NAME, getVersion(), dev.gatun.tensor.Device.cpu().description());
  }
}
