package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuBackend;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.Cases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Mutations;
import dev.gatun.test.contract.frame.Placement;
import dev.gatun.test.contract.frame.Subjects;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.RecordComponent;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Calls of every kernel with something wrong at random: shapes, strides, types, overlaps, closed
 * memory, memory of another backend, indices and scales of any bits. Each either runs, and changes
 * nothing but its outputs, or is an exception that begins with the kernel's name. The seed of the
 * call under way is in {@code target/random-call}, for when the JVM does not live to say it.
 */
final class RandomCallsTest {
  private static final Path UNDER_WAY = Path.of("target/random-call");
  private static final CpuBackend CPU = Subjects.CPU;
  private static final List<CpuLevel> LEVELS = Subjects.levels();

  /** Elements of the operands of a call that is run, its axes' product. */
  private static final long SMALL = 1 << 20;

  /** What is checked when arguments of arguments are made, before there is a kernel. */
  private static final Set<String> PARTS =
      Set.of(
          "operand",
          "activation codes",
          "token codes",
          "offsets",
          "lengths",
          "indices",
          "scaled_dot_product_attention",
          "attention keys",
          "attention mask",
          "attention scores",
          "dropout",
          "expert capacity",
          "packed codes");

  private final List<Case> cases = Cases.all(12).filter(RandomCallsTest::isSmall).toList();
  private final Set<String> ran = new HashSet<>();
  private final Set<String> refused = new HashSet<>();

  @AfterAll
  static void restore() {
    CPU.setLevel(LEVELS.getLast());
  }

  @Test
  void two_thousand_random_calls_run_or_are_refused() throws IOException {
    check(2_000);
  }

  @Test
  @Tag("full")
  void a_million_random_calls_run_or_are_refused() throws IOException {
    check(400_000);
    long kernels = records(KernelCall.class).count();
    assertEquals(kernels, ran.size(), () -> "kernels that ran: " + new TreeSet<>(ran));
    assertEquals(kernels, refused.size(), () -> "kernels that refused: " + new TreeSet<>(refused));
  }

  /** The records of a sealed type and of those below it. */
  private static Stream<Class<?>> records(Class<?> type) {
    return type.isRecord()
        ? Stream.of(type)
        : Arrays.stream(type.getPermittedSubclasses()).flatMap(RandomCallsTest::records);
  }

  private static boolean isSmall(Case c) {
    return c.data().stream().mapToLong(Data::span).sum() < 4096;
  }

  private void check(int calls) throws IOException {
    long seed = Long.getLong(Cases.SEED, 1);
    System.out.printf("%d random calls from seed %d (-D%s)%n", calls, seed, Cases.SEED);
    Files.createDirectories(UNDER_WAY.getParent());
    try (FileChannel file =
            FileChannel.open(
                UNDER_WAY,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        Arena arena = Arena.ofConfined();
        Buffer other = Subjects.EXACT.memory().allocate(1 << 14);
        Buffer open = CPU.memory().allocate(1 << 14)) {
      MemorySegment underWay = file.map(FileChannel.MapMode.READ_WRITE, 0, 8, arena);
      Buffer closed = CPU.memory().allocate(1 << 14);
      closed.close();
      long before = CPU.memory().allocatedBytes();
      for (long call = seed; call < seed + calls; call++) {
        underWay.set(ValueLayout.JAVA_LONG, 0, call);
        one(call, List.of(other, open, closed));
      }
      assertEquals(before, CPU.memory().allocatedBytes(), "memory is given back");
    }
  }

  private void one(long seed, List<Buffer> buffers) {
    Random random = new Random(seed);
    Case c = cases.get(random.nextInt(cases.size()));
    CPU.setLevel(LEVELS.get(random.nextInt(LEVELS.size())));
    Map<String, Placement> placements = new LinkedHashMap<>();
    String kernel = null;
    try {
      for (Data data : c.data()) {
        placements.put(data.name(), new Placement(data, CPU.memory(), random.nextInt(4)));
      }
      KernelCall legal =
          c.call()
              .apply(name -> placements.containsKey(name) ? placements.get(name).operand() : null);
      kernel = legal.kernel();
      if (random.nextInt(4) == 0) {
        scramble(random, legal);
      }
      KernelCall call =
          random.nextInt(8) == 0
              ? legal
              : (KernelCall) new Mutations(random, buffers).change((Record) legal);
      if (isSmall(call)) {
        run(call);
        ran.add(kernel);
      }
    } catch (IllegalArgumentException | IllegalStateException | IndexOutOfBoundsException e) {
      refused.add(kernel);
      String message = String.valueOf(e.getMessage());
      if (!message.startsWith(kernel) && PARTS.stream().noneMatch(message::startsWith)) {
        throw new AssertionError("seed %d, %s: says %s".formatted(seed, c, message), e);
      }
    } catch (RuntimeException | Error e) {
      throw new AssertionError("seed %d, %s: %s".formatted(seed, c, e), e);
    } finally {
      placements.values().forEach(Placement::close);
    }
  }

  /** Overwrites some of an input, indices and scales too. */
  private static void scramble(Random random, KernelCall call) {
    if (call.inputs().isEmpty()) {
      return;
    }
    Operand input = call.inputs().get(random.nextInt(call.inputs().size()));
    if (isPromised(call, input)) {
      return;
    }
    byte[] bytes = new byte[(int) Math.min(16, input.buffer().byteSize() - input.byteOffset())];
    random.nextBytes(bytes);
    if (random.nextBoolean()) {
      Arrays.fill(bytes, new byte[] {-1, 0x7f, 0, (byte) 0x80}[random.nextInt(4)]);
    }
    CPU.memory().write(MemorySegment.ofArray(bytes), input.buffer(), input.byteOffset());
  }

  /** Whether somebody vouches for what is in an operand: indices with a bound. */
  private static boolean isPromised(KernelCall call, Operand input) {
    for (RecordComponent component : call.getClass().getRecordComponents()) {
      try {
        if (component.getType() == Indices.class
            && component.getAccessor().invoke(call) instanceof Indices indices
            && !indices.isUnknown()
            && indices.values() == input) {
          return true;
        }
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
    }
    return false;
  }

  private static boolean isSmall(KernelCall call) {
    try {
      long all = 1;
      List<Operand> operands = new ArrayList<>(call.inputs());
      operands.addAll(call.outputs());
      for (Operand operand : operands) {
        all = Math.max(all, operand.count());
      }
      return all <= SMALL && Arrays.stream(numbers(call)).allMatch(x -> Math.abs(x) <= SMALL);
    } catch (ArithmeticException e) {
      return false;
    }
  }

  private static long[] numbers(KernelCall call) {
    return Arrays.stream(call.getClass().getRecordComponents())
        .filter(component -> component.getType() == long.class)
        .mapToLong(component -> number(call, component))
        .toArray();
  }

  private static long number(KernelCall call, RecordComponent component) {
    try {
      return (long) component.getAccessor().invoke(call);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** Runs a call; what is around its outputs must stay as it is. */
  private static void run(KernelCall call) {
    Map<Buffer, byte[]> before = new HashMap<>();
    for (Operand output : call.outputs()) {
      if (!output.buffer().isClosed() && output.buffer().memory() == CPU.memory()) {
        before.computeIfAbsent(output.buffer(), RandomCallsTest::bytes);
      }
    }
    CPU.kernels().run(call);
    before.forEach(
        (buffer, old) -> {
          byte[] now = bytes(buffer);
          for (Operand output : call.outputs()) {
            if (output.buffer() == buffer && output.count() > 0) {
              int from = (int) output.byteOffset();
              int to = from + (int) spanBytes(output);
              System.arraycopy(old, from, now, from, to - from);
            }
          }
          assertTrue(
              Arrays.equals(old, now),
              () -> call + ": byte " + Arrays.mismatch(old, now) + " outside of it changed");
        });
  }

  private static long spanBytes(Operand operand) {
    long last = 0;
    for (int axis = 0; axis < operand.rank(); axis++) {
      last += (operand.size(axis) - 1) * operand.stride(axis);
    }
    return (last + 1) * operand.dtype().bytes();
  }

  private static byte[] bytes(Buffer buffer) {
    byte[] bytes = new byte[(int) buffer.byteSize()];
    buffer.memory().read(buffer, 0, MemorySegment.ofArray(bytes));
    return bytes;
  }
}
