package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cuda.IndexChecks.Bound;

/** Rows by their numbers. */
final class CudaIndexing {
  private final Launcher launcher;
  private final IndexChecks checks;
  private final boolean panels;

  /**
   * @param panels whether the weights of linear layers are packed in panels, and not in rows
   */
  CudaIndexing(Launcher launcher, IndexChecks checks, boolean panels) {
    this.launcher = launcher;
    this.checks = checks;
    this.panels = panels;
  }

  void run(IndexingCall call) {
    switch (call) {
      case Copy c -> copy(c);
      case Embedding c -> embedding(c);
      case IndexAdd c -> indexAdd(c);
      case IndexSelect c -> indexSelect(c);
      case PackedEmbedding c -> packedEmbedding(c);
      case ScatterRows c -> scatterRows(c);
    }
  }

  private void copy(Copy c) {
    Arguments arguments = launcher.with(c.x(), c.y()).integer(c.y().dtype().bytes());
    launcher.elements(
        "copy_strided", c.y().count(), CudaElementwise.layout(arguments, c.y(), c.x(), c.y()));
  }

  private void embedding(Embedding c) {
    lookUp(c, c.table(), c.table().size(0), c.ids(), c.accumulate(), false, c.y());
  }

  private void packedEmbedding(PackedEmbedding c) {
    lookUp(c, c.packed(), c.rows(), c.ids(), c.accumulate(), panels, c.y());
  }

  private void lookUp(
      KernelCall call,
      Operand table,
      long rows,
      Indices ids,
      boolean accumulate,
      boolean packed,
      Operand y) {
    Arguments arguments =
        launcher
            .with(table, ids.values(), y)
            .integer(dtype(table.dtype()))
            .integer(dtype(y.dtype()))
            .integer(accumulate ? 1 : 0)
            .integer(packed ? 1 : 0)
            .numbers(y.size(1), rows);
    launcher.launch(
        "embedding",
        ids.values().size(0),
        1,
        1,
        0,
        checks.report(arguments, call, Bound.below("id", ids, rows)));
  }

  private void indexAdd(IndexAdd c) {
    Operand ids = c.ids().values();
    long rows = c.y().size(0);
    Arguments arguments =
        launcher
            .with(c.x(), ids, c.y())
            .integer(dtype(c.x().dtype()))
            .integer(dtype(c.y().dtype()))
            .numbers(ids.size(0), c.y().size(1), rows);
    launcher.elements(
        "index_add", c.y().size(1), checks.report(arguments, c, Bound.below("id", c.ids(), rows)));
  }

  private void indexSelect(IndexSelect c) {
    Operand ids = c.ids().values();
    long length = c.x().size(1);
    Arguments arguments =
        launcher
            .with(c.x(), ids, c.y())
            .numbers(length, ids.size(0))
            .number(c.x().size(2) * c.x().dtype().bytes());
    launcher.launch(
        "index_select",
        c.x().size(0) * ids.size(0),
        1,
        1,
        0,
        checks.report(arguments, c, Bound.below("id", c.ids(), length)));
  }

  private void scatterRows(ScatterRows c) {
    Operand ids = c.ids().values();
    long rows = c.y().size(0);
    Arguments arguments =
        launcher.with(c.x(), ids, c.y()).numbers(c.y().size(1) * c.y().dtype().bytes(), rows);
    launcher.launch(
        "scatter_rows",
        ids.size(0),
        1,
        1,
        0,
        checks.report(arguments, c, Bound.below("id", c.ids(), rows)));
  }
}
