package dev.gatun.test.contract.frame;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory with a page before and a page behind that may not be touched. */
public final class GuardPages implements AutoCloseable {
  private static final long PAGE = 4096;
  private static final int NONE = 0;
  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS = 0x22;

  private static final MethodHandle MMAP =
      function(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MPROTECT =
      function(
          "mprotect",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final MethodHandle MUNMAP =
      function(
          "munmap",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

  private final MemorySegment whole;
  private final MemorySegment inside;

  /**
   * @param bytes the size of what may be used
   * @param atEnd whether it ends at the page behind, else it begins at the page before
   */
  public GuardPages(long bytes, boolean atEnd) {
    long pages = Math.max(1, Math.ceilDiv(bytes, PAGE)) * PAGE;
    whole = map(pages + 2 * PAGE);
    protect(whole.asSlice(0, PAGE));
    protect(whole.asSlice(PAGE + pages));
    inside = whole.asSlice(atEnd ? PAGE + pages - bytes : PAGE, bytes);
  }

  public MemorySegment segment() {
    return inside;
  }

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }

  private static MemorySegment map(long bytes) {
    try {
      MemorySegment address =
          (MemorySegment)
              MMAP.invokeExact(MemorySegment.NULL, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
      if (address.address() == -1) {
        throw new OutOfMemoryError("mmap of " + bytes + " bytes");
      }
      return address.reinterpret(bytes, Arena.global(), null);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static void protect(MemorySegment page) {
    try {
      if ((int) MPROTECT.invokeExact(page, page.byteSize(), NONE) != 0) {
        throw new IllegalStateException("mprotect failed");
      }
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      if ((int) MUNMAP.invokeExact(whole, whole.byteSize()) != 0) {
        throw new IllegalStateException("munmap failed");
      }
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
