package dev.gatun.bench.generation;

import dev.gatun.bench.Subject;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;

/** Gatun's decoders from their files. */
public final class GatunLoading implements Subject {
  /** Another token than the ones that models begin or end with. */
  private static final long TOKEN = 1000;

  /** Loads nothing yet. */
  public GatunLoading() {
    LoadedFile.begin();
  }

  @Override
  public Task task(String name) throws Exception {
    LoadingCase c = LoadingCase.of(name);
    Path model = c.model();
    return new Task() {
      @Override
      public double seconds() throws Exception {
        if (c.isMemory()) {
          return LoadedFile.anonymousBytes(() -> load(c, model));
        }
        if (c.isCold()) {
          LoadedFile.forget(model);
        }
        long start = System.nanoTime();
        try (CausalLm loaded = load(c, model)) {
          if (c.ofToken()) {
            scores(loaded);
          }
          return (System.nanoTime() - start) / 1e9;
        }
      }

      @Override
      public void run() throws Exception {
        seconds();
      }

      @Override
      public float[] result() throws Exception {
        try (CausalLm loaded = load(c, model)) {
          return Scores.centred(scores(loaded));
        }
      }
    };
  }

  private static CausalLm load(LoadingCase c, Path model) throws IOException {
    Device device = Device.cpu();
    return switch (c.type()) {
      case "bf16", "bf16-mapped" ->
          AutoModel.loadCausalLm(
              model,
              device,
              WeightTypes.of(Storage.BF16).withMapped(c.isMapped()),
              Compute.EXACT,
              null);
      case "bf16-int4" ->
          AutoModel.loadCausalLm(
              model, device, Storage.of(BlockFormat.int4(32)), Compute.INT8_BLOCKS);
      default ->
          AutoModel.loadCausalLm(
              model,
              device,
              WeightTypes.of(Storage.F32).withMapped(c.isMapped()),
              Compute.INT8_BLOCKS);
    };
  }

  private static float[] scores(CausalLm model) {
    try (CausalLmOutput output = model.forward(CausalLmInputs.of(new long[][] {{TOKEN}}))) {
      return output.logits().toFloatArray();
    }
  }

  @Override
  public String version() {
    return "gatun " + Device.cpu().description();
  }

  @Override
  public void close() {}
}
