package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.PinnedMemory;
import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.cuda.Declarations.IndexFault;
import dev.gatun.kernels.cuda.Declarations.IndexReport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Indices that lie on the device. A kernel uses none that is out of bounds and leaves the first one
 * in pinned memory ({@code index_fault.h}); no call waits for that. Whoever next waits for the
 * stream gets the exception, which names the call: a read, or the end of what is captured. Where
 * several threads give calls to a device it may be another's read, so what a user types is better
 * checked where it becomes a tensor, and its bound then given as proven.
 */
final class IndexChecks {
  /**
   * What one of a call's operands of indices may hold.
   *
   * @param message of what is wrong, which begins behind the kernel's name, from a bad index, its
   *     place and what else the kernel tells
   * @param proven whether nothing else can be in it
   */
  record Bound(Message message, boolean proven) {
    /** Indices that are below a limit. */
    static Bound below(String what, Indices indices, long limit) {
      return new Bound(
          new Message(what + " %d at %d is outside of 0 to " + (limit - 1)), !indices.isUnknown());
    }
  }

  /** A format of the bad index, its place and what else the kernel tells. */
  record Message(String format) {}

  private record Site(String kernel, List<Message> messages) {}

  private final PinnedMemory fault;
  private final Map<Site, Integer> numbers = new HashMap<>();
  private final List<Site> sites = new ArrayList<>();

  IndexChecks(CudaContext context) {
    fault = new PinnedMemory(context, IndexFault.STRUCT.bytes());
    fault.segment().fill((byte) 0);
  }

  /** Adds the {@code IndexReport} of a call whose kernel checks these bounds, in their order. */
  Arguments report(Arguments arguments, KernelCall call, Bound... bounds) {
    boolean proven = true;
    for (Bound bound : bounds) {
      proven &= bound.proven();
    }
    return arguments
        .begin(IndexReport.STRUCT)
        .set(IndexReport.FAULT, proven ? 0 : fault.segment().address())
        .set(IndexReport.SITE, proven ? 0 : number(call, bounds))
        .end();
  }

  private synchronized int number(KernelCall call, Bound[] bounds) {
    List<Message> messages = new ArrayList<>();
    for (Bound bound : bounds) {
      messages.add(bound.message());
    }
    return numbers.computeIfAbsent(
        new Site(call.kernel(), messages),
        site -> {
          sites.add(site);
          return sites.size();
        });
  }

  /**
   * To be called when the stream has been waited for.
   *
   * @throws IllegalArgumentException when a kernel found an index out of bounds since the last time
   */
  synchronized void raise() {
    VarHandle.acquireFence();
    MemorySegment found = fault.segment();
    int number = found.get(ValueLayout.JAVA_INT, IndexFault.SITE.offset);
    if (number == 0) {
      return;
    }
    Site site = sites.get(number - 1);
    String message =
        site.messages()
            .get(found.get(ValueLayout.JAVA_INT, IndexFault.BOUND.offset))
            .format()
            .formatted(
                found.get(ValueLayout.JAVA_LONG, IndexFault.VALUE.offset),
                found.get(ValueLayout.JAVA_LONG, IndexFault.PLACE.offset),
                found.get(ValueLayout.JAVA_LONG, IndexFault.OTHER.offset));
    found.asSlice(IndexFault.SITE.offset).fill((byte) 0);
    throw new IllegalArgumentException(site.kernel() + ": " + message);
  }
}
