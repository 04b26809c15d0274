package dev.gatun.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;

/**
 * Gives DJL this engine under the name {@code PyTorch} too, for programs that ask for that one:
 * where the property {@value #PROPERTY} is {@code true} and no PyTorch engine is there. Otherwise
 * it says {@code Gatun} a second time, of which DJL takes no notice.
 */
public final class PyTorchNameProvider implements EngineProvider {
  /** The system property that asks for it. */
  public static final String PROPERTY = "gatun.djl.pytorch";

  private static final String PYTORCH = "PyTorch";

  /** What the service file of DJL's PyTorch engine names. */
  private static final String PYTORCH_PROVIDER = "ai.djl.pytorch.engine.PtEngineProvider";

  private static final class Holder {
    static final Engine INSTANCE = new GatunEngine(PYTORCH, GatunEngine.RANK + 1);
  }

  /** Made by the service loader. */
  public PyTorchNameProvider() {}

  @Override
  public String getEngineName() {
    return stands() ? PYTORCH : GatunEngine.NAME;
  }

  @Override
  public int getEngineRank() {
    return stands() ? GatunEngine.RANK + 1 : GatunEngine.RANK;
  }

  @Override
  public Engine getEngine() {
    return stands() ? Holder.INSTANCE : GatunEngineProvider.engine();
  }

  private static boolean stands() {
    return Boolean.getBoolean(PROPERTY)
        && !sees(Thread.currentThread().getContextClassLoader())
        && !sees(PyTorchNameProvider.class.getClassLoader());
  }

  private static boolean sees(ClassLoader loader) {
    try {
      Class.forName(PYTORCH_PROVIDER, false, loader);
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }
}
