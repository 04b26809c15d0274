package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;

/** Rows by their numbers, which are checked before. */
final class CudaIndexing {
  private final Launcher launcher;
  private final IndexChecks checks;

  CudaIndexing(Launcher launcher, IndexChecks checks) {
    this.launcher = launcher;
    this.checks = checks;
  }

  void run(Embedding c) {
    checks.inRange(c, "id", c.ids(), c.table().size(0), null);
    launcher.launch(
        "embedding",
        c.ids().size(0),
        1,
        1,
        0,
        launcher
            .with(c.table(), c.ids(), c.y())
            .integer(dtype(c.table().dtype()))
            .integer(dtype(c.y().dtype()))
            .integer(c.accumulate() ? 1 : 0)
            .number(c.table().size(1)));
  }

  void run(IndexAdd c) {
    checks.inRange(c, "id", c.ids(), c.y().size(0), null);
    launcher.elements(
        "index_add",
        c.y().size(1),
        launcher
            .with(c.x(), c.ids(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer(dtype(c.y().dtype()))
            .numbers(c.ids().size(0), c.y().size(1)));
  }

  void run(IndexSelect c) {
    checks.inRange(c, "id", c.ids(), c.x().size(1), null);
    launcher.launch(
        "index_select",
        c.x().size(0) * c.ids().size(0),
        1,
        1,
        0,
        launcher
            .with(c.x(), c.ids(), c.y())
            .numbers(c.x().size(1), c.ids().size(0))
            .number(c.x().size(2) * c.x().dtype().bytes()));
  }

  void run(ScatterRows c) {
    checks.inRange(c, "id", c.ids(), c.y().size(0), null);
    launcher.launch(
        "scatter_rows",
        c.ids().size(0),
        1,
        1,
        0,
        launcher.with(c.x(), c.ids(), c.y()).number(c.y().size(1) * c.y().dtype().bytes()));
  }
}
