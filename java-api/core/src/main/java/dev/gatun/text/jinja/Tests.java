package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What stands behind {@code is}. */
final class Tests {
  private interface Test {
    boolean apply(Object value, CallArgs args);
  }

  private static final Map<String, Test> TABLE = new HashMap<>();

  static {
    TABLE.put("defined", (v, a) -> !(v instanceof Undefined));
    TABLE.put("undefined", (v, a) -> v instanceof Undefined);
    TABLE.put("none", (v, a) -> v == null);
    TABLE.put("boolean", (v, a) -> v instanceof Boolean);
    TABLE.put("true", (v, a) -> Boolean.TRUE.equals(v));
    TABLE.put("false", (v, a) -> Boolean.FALSE.equals(v));
    TABLE.put("integer", (v, a) -> v instanceof BigInteger);
    TABLE.put("float", (v, a) -> v instanceof Double);
    TABLE.put("number", (v, a) -> Values.isNumber(v));
    TABLE.put("string", (v, a) -> v instanceof Text);
    TABLE.put("mapping", (v, a) -> v instanceof Map);
    TABLE.put("sequence", (v, a) -> isSequence(v));
    TABLE.put("iterable", (v, a) -> isSequence(v) || v instanceof Lazy);
    TABLE.put("callable", (v, a) -> v instanceof Callable || v instanceof Undefined);
    TABLE.put("escaped", (v, a) -> false);
    TABLE.put("even", (v, a) -> modulo(v, Values.integer(2), 0));
    TABLE.put("odd", (v, a) -> modulo(v, Values.integer(2), 1));
    TABLE.put("divisibleby", (v, a) -> modulo(v, a.need("test_divisibleby", 0, "num"), 0));
    TABLE.put(
        "lower",
        (v, a) ->
            Methods.string(Values.str(v), "islower") instanceof Callable c
                && Values.truth(c.call(CallArgs.NONE)));
    TABLE.put(
        "upper",
        (v, a) ->
            Methods.string(Values.str(v), "isupper") instanceof Callable c
                && Values.truth(c.call(CallArgs.NONE)));
    TABLE.put("filter", (v, a) -> v instanceof Text name && Filters.has(name.toString()));
    TABLE.put("test", (v, a) -> v instanceof Text name && has(name.toString()));
    TABLE.put("sameas", (v, a) -> same(v, a.need("test_sameas", 0, "other")));
    operator("==", "eq", "equalto", "==");
    operator("!=", "ne", "!=");
    operator("<", "lt", "lessthan", "<");
    operator("<=", "le", "<=");
    operator(">", "gt", "greaterthan", ">");
    operator(">=", "ge", ">=");
    operator("in", "in");
  }

  private Tests() {}

  private static void operator(String operator, String... names) {
    for (String name : names) {
      TABLE.put(name, (v, a) -> Operators.test(operator, v, a.need(name, 0, "other")));
    }
  }

  static boolean has(String name) {
    return TABLE.containsKey(name);
  }

  static boolean apply(String name, Object value, CallArgs args) {
    Test test = TABLE.get(name);
    if (test == null) {
      throw new TemplateException(Kind.RUNTIME, "No test named " + Values.quote(name) + ".");
    }
    return test.apply(value, args);
  }

  private static boolean isSequence(Object value) {
    return value instanceof Text
        || value instanceof List<?>
        || value instanceof Seq
        || value instanceof Map<?, ?>
        || value instanceof Undefined;
  }

  private static boolean modulo(Object value, Object by, long rest) {
    return Operators.equal(Operators.binary("%", value, by), Values.integer(rest));
  }

  private static boolean same(Object a, Object b) {
    if (a instanceof Boolean || b instanceof Boolean || a == null || b == null) {
      return a == null ? b == null : a.equals(b);
    }
    return a == b || a instanceof Text && a.equals(b) || a instanceof BigInteger && a.equals(b);
  }
}
