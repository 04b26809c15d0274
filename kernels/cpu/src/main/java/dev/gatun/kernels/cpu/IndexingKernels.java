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
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;

/** Rows by their numbers, and elements laid out in another way. */
final class IndexingKernels {
  private IndexingKernels() {}

  static void run(IndexingCall call) {
    switch (call) {
      case Copy c -> copy(c);
      case Embedding c -> embedding(c);
      case IndexAdd c -> indexAdd(c);
      case IndexSelect c -> indexSelect(c);
      case PackedEmbedding c -> packedEmbedding(c);
      case ScatterRows c -> scatterRows(c);
    }
  }

  private static void copy(Copy c) {
    CpuIndexing.copy(
        address(c.x()), address(c.y()), c.y().dtype().bytes(), layout(c.y(), c.x(), c.y()));
  }

  private static void embedding(Embedding c) {
    inRange(c, "id", c.ids(), c.table().size(0), null);
    CpuRows.embedding(
        address(c.table()),
        dtype(c.table().dtype()),
        c.table().size(0),
        c.table().size(1),
        address(c.ids().values()),
        c.ids().values().size(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.accumulate(),
        false);
  }

  private static void packedEmbedding(PackedEmbedding c) {
    inRange(c, "id", c.ids(), c.rows(), null);
    CpuRows.embedding(
        address(c.packed()),
        dtype(c.packed().dtype()),
        c.rows(),
        c.y().size(1),
        address(c.ids().values()),
        c.ids().values().size(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.accumulate(),
        true);
  }

  private static void indexAdd(IndexAdd c) {
    inRange(c, "id", c.ids(), c.y().size(0), null);
    CpuIndexing.indexAdd(
        address(c.x()),
        dtype(c.x().dtype()),
        address(c.ids().values()),
        c.ids().values().size(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().size(0),
        c.y().size(1));
  }

  private static void indexSelect(IndexSelect c) {
    inRange(c, "id", c.ids(), c.x().size(1), null);
    CpuIndexing.indexSelect(
        address(c.x()),
        c.x().size(0),
        c.x().size(1),
        c.x().size(2) * c.x().dtype().bytes(),
        address(c.ids().values()),
        c.ids().values().size(0),
        address(c.y()));
  }

  private static void scatterRows(ScatterRows c) {
    inRange(c, "id", c.ids(), c.y().size(0), -1L);
    CpuLibrary.scatterRows(
        address(c.x()),
        address(c.ids().values()),
        c.ids().values().size(0),
        address(c.y()),
        c.y().size(0),
        c.y().size(1) * c.y().dtype().bytes());
  }
}
