package dev.gatun.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;

/** Gives DJL the engine {@code Gatun}; found by the service loader. */
public final class GatunEngineProvider implements EngineProvider {
  private static final class Holder {
    static final Engine INSTANCE = new GatunEngine(GatunEngine.NAME, GatunEngine.RANK);
  }

  static Engine engine() {
    return Holder.INSTANCE;
  }

  /** Made by the service loader. */
  public GatunEngineProvider() {}

  @Override
  public String getEngineName() {
    return GatunEngine.NAME;
  }

  @Override
  public int getEngineRank() {
    return GatunEngine.RANK;
  }

  @Override
  public Engine getEngine() {
    return engine();
  }
}
