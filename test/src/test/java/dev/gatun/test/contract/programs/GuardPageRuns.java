package dev.gatun.test.contract.programs;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.GuardPages;
import dev.gatun.test.contract.frame.Placement;
import dev.gatun.test.contract.frame.Subjects;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A program: runs every case with operands that end, then begin, at a page which may not be
 * touched. A kernel that does ends this JVM by a signal; the last line printed names the case.
 */
public final class GuardPageRuns {
  private GuardPageRuns() {}

  public static void main(String[] args) {
    List<Case> cases = Cases.all(Integer.parseInt(args[0])).toList();
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      for (Case c : cases) {
        System.out.println(level.id() + ": " + c);
        run(c, true);
        run(c, false);
      }
    }
    if (args.length > 1) {
      System.out.println("planted: reading behind the end");
      try (GuardPages pages = new GuardPages(64, true)) {
        pages.segment().reinterpret(128).get(java.lang.foreign.ValueLayout.JAVA_INT, 64);
      }
    }
    System.out.println("done: " + cases.size());
  }

  private static void run(Case c, boolean atEnd) {
    Map<String, Operand> operands = new HashMap<>();
    List<GuardPages> pages = new ArrayList<>();
    for (Data data : c.data()) {
      byte[] bytes = Placement.bytes(data, 0, 0);
      GuardPages guarded = new GuardPages(bytes.length, atEnd);
      pages.add(guarded);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, guarded.segment(), 0, bytes.length);
      Buffer buffer = Subjects.CPU.memory().adopt(guarded.segment());
      operands.put(data.name(), new Operand(buffer, 0, data.dtype(), data.shape(), data.strides()));
    }
    Subjects.CPU.kernels().run(c.call().apply(operands::get));
    pages.forEach(GuardPages::close);
  }
}
