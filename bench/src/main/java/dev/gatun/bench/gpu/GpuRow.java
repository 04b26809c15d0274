package dev.gatun.bench.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.kernels.api.device.Backend;

/** One row of {@code shapes.json}: its call with operands of its own. */
final class GpuRow implements AutoCloseable {
  private final GpuOperands operands;
  private final GpuCall call;

  /**
   * @param copy which of the row's copies it is
   */
  GpuRow(Backend backend, JsonNode row, int copy) {
    operands = new GpuOperands(backend, copy);
    try {
      call =
          switch (row.get("kernel").asText()) {
            case "attention" -> AttentionRow.make(backend, operands, row);
            case "attention_backward" -> AttentionRow.backward(backend, operands, row);
            case "adamw" -> OptimizerRow.make(backend, operands, row);
            case "rms_norm_backward",
                "layer_norm_backward",
                "silu_gate_backward",
                "cross_entropy_backward" ->
                BackwardRows.make(backend, operands, row);
            case "matmul" -> ProductRows.matmul(backend, operands, row);
            case "quantized_matmul" -> ProductRows.quantized(backend, operands, row);
            case "rotary", "rotary_cache" -> RotaryRows.make(backend, operands, row);
            default -> ColumnRows.make(backend, operands, row);
          };
    } catch (RuntimeException | OutOfMemoryError e) {
      operands.close();
      throw e;
    }
  }

  GpuCall call() {
    return call;
  }

  /** Bytes of all operands, each counted once. */
  long bytes() {
    return operands.bytes();
  }

  /** Makes all outputs NaN. */
  void poison() {
    operands.poison();
  }

  /** Waits for all that was submitted. */
  void await() {
    operands.await();
  }

  @Override
  public void close() {
    operands.close();
  }
}
