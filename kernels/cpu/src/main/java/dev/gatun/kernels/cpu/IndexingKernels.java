package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.inRange;
import static dev.gatun.kernels.cpu.Arguments.layout;

import dev.gatun.bindings.cpu.CpuIndexing;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.ScatterRows;

/** Rows by their numbers, and elements laid out in another way. */
final class IndexingKernels {
  private IndexingKernels() {}

  static void run(Copy c) {
    CpuIndexing.copy(
        address(c.x()), address(c.y()), c.y().dtype().bytes(), layout(c.y(), c.x(), c.y()));
  }

  static void run(Embedding c) {
    inRange(c, "id", c.ids(), c.table().size(0), null);
    CpuRows.embedding(
        address(c.table()),
        dtype(c.table().dtype()),
        c.table().size(0),
        c.table().size(1),
        address(c.ids()),
        c.ids().size(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.accumulate());
  }

  static void run(IndexAdd c) {
    inRange(c, "id", c.ids(), c.y().size(0), null);
    CpuIndexing.indexAdd(
        address(c.x()),
        dtype(c.x().dtype()),
        address(c.ids()),
        c.ids().size(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().size(0),
        c.y().size(1));
  }

  static void run(IndexSelect c) {
    inRange(c, "id", c.ids(), c.x().size(1), null);
    CpuIndexing.indexSelect(
        address(c.x()),
        c.x().size(0),
        c.x().size(1),
        c.x().size(2) * c.x().dtype().bytes(),
        address(c.ids()),
        c.ids().size(0),
        address(c.y()));
  }

  static void run(ScatterRows c) {
    inRange(c, "id", c.ids(), c.y().size(0), null);
    CpuLibrary.scatterRows(
        address(c.x()),
        address(c.ids()),
        c.ids().size(0),
        address(c.y()),
        c.y().size(0),
        c.y().size(1) * c.y().dtype().bytes());
  }
}
