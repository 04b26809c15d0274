package dev.gatun.weights.torch;

import dev.gatun.weights.WeightsException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the opcodes of Python's pickle protocol (PEP 307, PEP 3154) that PyTorch's files of weights
 * have, and makes of them maps, lists, texts, numbers, descriptions of tensors, and of
 * TorchScript's modules what they hold. Nothing is called: other opcodes, and calls of anything but
 * what makes a tensor or a map, are refused by name.
 */
final class Pickle {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Calls of TorchScript that make lists of numbers and tell types: nothing that holds weights. */
  private static final Set<String> WITHOUT_WEIGHTS =
      Set.of(
          "torch.jit._pickle.build_intlist",
          "torch.jit._pickle.build_doublelist",
          "torch.jit._pickle.build_boollist",
          "torch.jit._pickle.build_tensorlist",
          "torch.jit._pickle.restore_type_tag",
          "torch.Size",
          "torch.device");

  private static final int MOST_AXES = 64;

  /** A name of Python's: of a class or of what is called. */
  record Global(String name) {}

  /**
   * Where numbers are.
   *
   * @param type PyTorch's name, such as {@code FloatStorage}
   * @param key of the record that has them
   */
  record Storage(String type, String key, long elements) {}

  /** A view of a storage. */
  record TensorView(Storage storage, long offset, long[] shape, long[] strides) {}

  /** A module of TorchScript, and what it holds by its names. */
  static final class Instance {
    Map<?, ?> state = Map.of();
  }

  /** Something without weights. */
  private static final Object NOTHING = new Object();

  private static final Object MARK = new Object();

  private final MemorySegment bytes;
  private final String source;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Long, Object> memo = new HashMap<>();
  private long at;

  private Pickle(MemorySegment bytes, String source) {
    this.bytes = bytes;
    this.source = source;
  }

  /**
   * What the bytes mean.
   *
   * @throws WeightsException if they are damaged, or ask for more than weights
   */
  static Object read(MemorySegment bytes, String source) {
    return new Pickle(bytes, source).run();
  }

  private WeightsException error(String what) {
    return new WeightsException("%s: at byte %d of its pickle: %s".formatted(source, at, what));
  }

  private Object run() {
    while (true) {
      int code = u8();
      if (code == '.') {
        return pop();
      }
      step(code);
    }
  }

  private void step(int code) {
    switch (code) {
      case 0x80 -> protocol(u8());
      case 0x95 -> take(8);
      case '(' -> stack.add(MARK);
      case 'N' -> stack.add(null);
      case 0x88 -> stack.add(true);
      case 0x89 -> stack.add(false);
      case 'K' -> stack.add((long) u8());
      case 'M' -> stack.add((long) (u8() | u8() << 8));
      case 'J' -> stack.add((long) int32());
      case 0x8a -> stack.add(whole(u8()));
      case 'G' -> {
        take(8);
        stack.add(NOTHING);
      }
      case 'X', 'T' -> stack.add(text(Integer.toUnsignedLong(int32())));
      case 0x8c, 'U' -> stack.add(text(u8()));
      case 'c' -> stack.add(new Global(line() + "." + line()));
      case 0x93 -> {
        String name = string(pop());
        stack.add(new Global(string(pop()) + "." + name));
      }
      case ')' -> stack.add(List.of());
      case 0x85 -> stack.add(last(1));
      case 0x86 -> stack.add(last(2));
      case 0x87 -> stack.add(last(3));
      case 't' -> stack.add(marked());
      case ']' -> stack.add(new ArrayList<>());
      case 'l' -> stack.add(new ArrayList<>(marked()));
      case 'a' -> append(last(1));
      case 'e' -> append(marked());
      case '}' -> stack.add(new LinkedHashMap<>());
      case 'd' -> {
        List<Object> items = marked();
        stack.add(new LinkedHashMap<>());
        put(items);
      }
      case 's' -> put(last(2));
      case 'u' -> put(marked());
      case 'q' -> memo.put((long) u8(), top());
      case 'r' -> memo.put(Integer.toUnsignedLong(int32()), top());
      case 0x94 -> memo.put((long) memo.size(), top());
      case 'h' -> get(u8());
      case 'j' -> get(Integer.toUnsignedLong(int32()));
      case '0' -> pop();
      case 'Q' -> stack.add(storage(pop()));
      case 0x81 -> {
        pop();
        stack.add(instance(pop()));
      }
      case 'R' -> {
        Object arguments = pop();
        stack.add(call(pop(), arguments));
      }
      case 'b' -> build(pop());
      default ->
          throw error(
              "opcode 0x%02x is none that files of weights have; it is not run".formatted(code));
    }
  }

  private void protocol(int version) {
    if (version < 2 || version > 5) {
      throw error("protocol %d, expected 2 to 5".formatted(version));
    }
  }

  private long take(long count) {
    if (count < 0 || count > bytes.byteSize() - at) {
      throw error("%d bytes more are needed than there are".formatted(count));
    }
    long begin = at;
    at += count;
    return begin;
  }

  private int u8() {
    return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, take(1)));
  }

  private int int32() {
    return bytes.get(INT, take(4));
  }

  private long whole(int count) {
    if (count > Long.BYTES) {
      throw error("a whole number of %d bytes, expected 8 at most".formatted(count));
    }
    long value = 0;
    long begin = take(count);
    for (int i = count - 1; i >= 0; i--) {
      byte next = bytes.get(ValueLayout.JAVA_BYTE, begin + i);
      value = i == count - 1 ? next : value << 8 | Byte.toUnsignedLong(next);
    }
    return value;
  }

  private String text(long count) {
    long begin = take(count);
    return new String(
        bytes.asSlice(begin, count).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private String line() {
    long begin = at;
    while (u8() != '\n') {
      continue;
    }
    return new String(
        bytes.asSlice(begin, at - 1 - begin).toArray(ValueLayout.JAVA_BYTE),
        StandardCharsets.UTF_8);
  }

  private Object top() {
    if (stack.isEmpty() || stack.getLast() == MARK) {
      throw error("a value is missing");
    }
    return stack.getLast();
  }

  private Object pop() {
    top();
    return stack.removeLast();
  }

  private List<Object> last(int count) {
    Object[] items = new Object[count];
    for (int i = count - 1; i >= 0; i--) {
      items[i] = pop();
    }
    return Arrays.asList(items);
  }

  private List<Object> marked() {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) {
      throw error("a mark is missing");
    }
    List<Object> above = stack.subList(mark + 1, stack.size());
    List<Object> items = new ArrayList<>(above);
    above.clear();
    stack.removeLast();
    return items;
  }

  private void get(long key) {
    if (!memo.containsKey(key)) {
      throw error("value %d was not kept".formatted(key));
    }
    stack.add(memo.get(key));
  }

  @SuppressWarnings("unchecked")
  private void append(List<Object> items) {
    if (!(top() instanceof ArrayList<?> list)) {
      throw error("items are added to what is no list");
    }
    ((List<Object>) list).addAll(items);
  }

  @SuppressWarnings("unchecked")
  private void put(List<Object> items) {
    if (!(top() instanceof LinkedHashMap<?, ?> map) || items.size() % 2 != 0) {
      throw error("items are put into what is no map, or half of one");
    }
    for (int i = 0; i < items.size(); i += 2) {
      Object key = items.get(i);
      if (!(key instanceof String) && !(key instanceof Long)) {
        throw error("a map's key is neither a text nor a whole number");
      }
      ((Map<Object, Object>) map).put(key, items.get(i + 1));
    }
  }

  private String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw error("a text is missing");
  }

  private long number(Object value) {
    if (value instanceof Long whole) {
      return whole;
    }
    throw error("a whole number is missing");
  }

  private List<?> list(Object value, int atLeast) {
    if (value instanceof List<?> list && list.size() >= atLeast) {
      return list;
    }
    throw error("%d values or more are missing".formatted(atLeast));
  }

  private Storage storage(Object value) {
    List<?> parts = list(value, 5);
    if (!"storage".equals(parts.get(0)) || !(parts.get(1) instanceof Global type)) {
      throw error("what is outside of the pickle is no storage");
    }
    return new Storage(
        type.name().substring(type.name().lastIndexOf('.') + 1),
        string(parts.get(2)),
        number(parts.get(4)));
  }

  private Object instance(Object type) {
    if (type instanceof Global global && global.name().startsWith("__torch__.")) {
      return new Instance();
    }
    throw error(
        "an object of %s, expected tensors, or TorchScript; save the model's state_dict()"
            .formatted(type instanceof Global global ? global.name() : "no class"));
  }

  private Object call(Object function, Object arguments) {
    String name = function instanceof Global global ? global.name() : "no name";
    switch (name) {
      case "collections.OrderedDict" -> {
        if (list(arguments, 0).isEmpty()) {
          return new LinkedHashMap<>();
        }
      }
      case "torch._utils._rebuild_tensor_v2" -> {
        return tensor(list(arguments, 4));
      }
      case "torch._utils._rebuild_parameter" -> {
        return list(arguments, 1).getFirst();
      }
      default -> {
        if (WITHOUT_WEIGHTS.contains(name)) {
          return NOTHING;
        }
      }
    }
    throw error("it asks to call %s, which is not done".formatted(name));
  }

  private TensorView tensor(List<?> parts) {
    if (!(parts.get(0) instanceof Storage storage)) {
      throw error("a tensor without a storage");
    }
    return new TensorView(
        storage, number(parts.get(1)), numbers(parts.get(2)), numbers(parts.get(3)));
  }

  private long[] numbers(Object value) {
    List<?> axes = list(value, 0);
    if (axes.size() > MOST_AXES) {
      throw error("a tensor of %d axes, expected %d at most".formatted(axes.size(), MOST_AXES));
    }
    return axes.stream().mapToLong(this::number).toArray();
  }

  private void build(Object state) {
    Object built = top();
    if (built instanceof Instance instance && state instanceof Map<?, ?> map) {
      instance.state = map;
    } else if (!(built instanceof Map)) {
      // A state dict's own attributes tell versions of modules, and are passed by.
      throw error("a state is given to what has none");
    }
  }
}
