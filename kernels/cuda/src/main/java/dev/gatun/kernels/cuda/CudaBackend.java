package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CublasLt;
import dev.gatun.bindings.cuda.CublasLtException;
import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaDriver;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.device.Replay;
import dev.gatun.kernels.api.memory.Memory;
import java.util.List;
import java.util.Map;

/** The kernels of one CUDA device, all on one stream. */
public final class CudaBackend implements Backend {
  private final CudaContext context;
  private final String deviceName;
  private final Streams streams;
  private final CudaMemory memory;
  private final CudaKernels kernels;
  private final String code;
  private final String products;

  CudaBackend(CudaContext context, KernelImages images) {
    this.context = context;
    this.deviceName = CudaDriver.deviceName(context.ordinal());
    this.streams = new Streams(new CudaStream(context));
    this.memory = new CudaMemory(context, streams);
    Launcher launcher = new Launcher(context, streams, images);
    this.code = launcher.code();
    LibraryMatmul library = null;
    String description = LibraryMatmul.description();
    if (CublasLt.load().loaded()) {
      try {
        library = LibraryMatmul.open(context, launcher, memory);
      } catch (CublasLtException e) {
        description = LibraryMatmul.instead(e.getMessage());
      }
    }
    this.products = description;
    this.kernels = new CudaKernels(memory, launcher, library);
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public String description() {
    int capability = context.computeCapability();
    return "%s, compute capability %d.%d".formatted(deviceName, capability / 10, capability % 10);
  }

  @Override
  public List<String> details() {
    return List.of(
        "driver: " + CudaDriver.load().file(),
        "kernels: " + code,
        products,
        "memory: " + memory.usage());
  }

  @Override
  public Map<String, String> versions() {
    int version = CudaDriver.driverVersion();
    return Map.of("CUDA driver", version / 1000 + "." + version % 1000 / 10);
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public Replay capture(Runnable work) {
    if (streams.recording() != null) {
      throw new IllegalStateException("capture: this thread is recording already");
    }
    work.run();
    // What it does wrong is told now, not by a replay.
    memory.await();
    return Recording.of(context, streams, memory, work);
  }
}
