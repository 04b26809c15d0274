package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's operators. */
final class Operators {
  private static final int MOST_BITS = 1 << 20;

  private Operators() {}

  static Object binary(String operator, Object left, Object right) {
    if (left instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (operator.equals("%") && left instanceof Text format) {
      return Formats.percent(format, right);
    }
    if (right instanceof Undefined undefined) {
      throw undefined.error();
    }
    BigInteger a = Values.whole(left);
    BigInteger b = Values.whole(right);
    if (a != null && b != null) {
      return whole(operator, a, b);
    }
    if (Values.isNumber(left) && Values.isNumber(right)) {
      return real(operator, number(left), number(right));
    }
    if (operator.equals("+")) {
      return plus(left, right);
    }
    if (operator.equals("*")) {
      boolean repeats = isRepeatable(left);
      BigInteger count = repeats ? b : a;
      if (count != null && (repeats || isRepeatable(right))) {
        return times(repeats ? left : right, count);
      } else if (repeats || isRepeatable(right)) {
        throw new TemplateException(
            Kind.TYPE,
            "can't multiply sequence by non-int of type "
                + Values.quote(Values.type(repeats ? right : left)));
      }
    }
    throw unsupported(operator, left, right);
  }

  private static TemplateException unsupported(String operator, Object left, Object right) {
    String name = operator.equals("**") ? "** or pow()" : operator;
    return new TemplateException(
        Kind.TYPE,
        "unsupported operand type(s) for %s: '%s' and '%s'"
            .formatted(name, Values.type(left), Values.type(right)));
  }

  private static Object plus(Object left, Object right) {
    if (left instanceof Text a && right instanceof Text b) {
      return a.plus(b);
    } else if (left instanceof List<?> a && right instanceof List<?> b) {
      return joined(a, b);
    } else if (left instanceof Seq a && a.kind() == Seq.Kind.TUPLE) {
      if (right instanceof Seq b && b.kind() == Seq.Kind.TUPLE) {
        return new Seq(Seq.Kind.TUPLE, joined(a.items(), b.items()));
      }
    } else if (!(left instanceof Text) && !(left instanceof List<?>)) {
      throw unsupported("+", left, right);
    }
    throw new TemplateException(
        Kind.TYPE,
        "can only concatenate %s (not \"%s\") to %1$s"
            .formatted(Values.type(left), Values.type(right)));
  }

  private static List<Object> joined(List<?> a, List<?> b) {
    Budget.spend(a.size() + b.size());
    List<Object> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  private static boolean isRepeatable(Object value) {
    return value instanceof Text
        || value instanceof List<?>
        || value instanceof Seq seq && seq.kind() == Seq.Kind.TUPLE;
  }

  private static Object times(Object value, BigInteger count) {
    int n = Math.max(0, Values.index(count));
    if (value instanceof Text text) {
      Budget.chars((long) n * text.length(), 0);
      Text.Builder out = new Text.Builder();
      for (int i = 0; i < n && !text.isEmpty(); i++) {
        out.add(text);
      }
      return out.text();
    }
    boolean tuple = value instanceof Seq;
    List<Object> items = Values.items(value);
    Budget.spend((long) n * items.size());
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < n && !items.isEmpty(); i++) {
      all.addAll(items);
    }
    return tuple ? new Seq(Seq.Kind.TUPLE, all) : all;
  }

  private static Object whole(String operator, BigInteger a, BigInteger b) {
    return switch (operator) {
      case "+" -> a.add(b);
      case "-" -> a.subtract(b);
      case "*" -> {
        bits((long) a.bitLength() + b.bitLength());
        yield a.multiply(b);
      }
      case "/" -> {
        if (b.signum() == 0) {
          throw zero("division by zero");
        }
        double value =
            new BigDecimal(a).divide(new BigDecimal(b), MathContext.DECIMAL128).doubleValue();
        if (Double.isInfinite(value)) {
          throw new TemplateException(
              Kind.OVERFLOW, "integer division result too large for a float");
        }
        yield value;
      }
      case "//" -> {
        if (b.signum() == 0) {
          throw zero("integer division or modulo by zero");
        }
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean down = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        yield down ? parts[0].subtract(BigInteger.ONE) : parts[0];
      }
      case "%" -> {
        if (b.signum() == 0) {
          throw zero("integer modulo by zero");
        }
        BigInteger rest = a.remainder(b);
        yield rest.signum() != 0 && rest.signum() != b.signum() ? rest.add(b) : rest;
      }
      default -> power(a, b);
    };
  }

  private static Object power(BigInteger a, BigInteger b) {
    if (b.signum() < 0) {
      return real("**", a.doubleValue(), b.doubleValue());
    }
    if (a.bitLength() <= 1 && !a.equals(BigInteger.TWO.negate())) {
      boolean minus = a.signum() < 0 && b.testBit(0);
      return b.signum() == 0 ? BigInteger.ONE : minus || a.signum() >= 0 ? a : a.negate();
    }
    bits(b.bitLength() > 31 ? Long.MAX_VALUE : a.bitLength() * b.longValue());
    return a.pow(b.intValue());
  }

  private static void bits(long count) {
    if (count > MOST_BITS) {
      throw new TemplateException(Kind.LIMIT, "an integer has more than " + MOST_BITS + " bits");
    }
    Budget.spend(count >> 6);
  }

  private static Object real(String operator, double a, double b) {
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> {
        if (b == 0) {
          throw zero("float division by zero");
        }
        yield a / b;
      }
      case "//" -> {
        if (b == 0) {
          throw zero("float floor division by zero");
        }
        double quotient = (a - modulo(a, b)) / b;
        double floor = Math.floor(quotient);
        yield quotient - floor > 0.5 ? floor + 1 : floor;
      }
      case "%" -> {
        if (b == 0) {
          throw zero("float modulo");
        }
        yield modulo(a, b);
      }
      default -> {
        if (a == 0 && b < 0) {
          throw zero("zero to a negative power");
        }
        double value = Math.pow(a, b);
        if (Double.isInfinite(value) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
          throw new TemplateException(Kind.OVERFLOW, "(34, 'Numerical result out of range')");
        }
        yield value;
      }
    };
  }

  private static double modulo(double a, double b) {
    double rest = a % b;
    if (rest == 0) {
      return Math.copySign(0, b);
    }
    return rest < 0 != b < 0 ? rest + b : rest;
  }

  private static TemplateException zero(String reason) {
    return new TemplateException(Kind.ZERO_DIVISION, reason);
  }

  static double number(Object value) {
    BigInteger whole = Values.whole(value);
    if (whole == null) {
      return (Double) value;
    }
    double number = whole.doubleValue();
    if (Double.isInfinite(number)) {
      throw new TemplateException(Kind.OVERFLOW, "int too large to convert to float");
    }
    return number;
  }

  static Object unary(String operator, Object value) {
    if (operator.equals("not")) {
      return !Values.truth(value);
    }
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    BigInteger whole = Values.whole(value);
    boolean minus = operator.equals("-");
    if (whole != null) {
      return minus ? whole.negate() : whole;
    } else if (value instanceof Double number) {
      return minus ? -number : number;
    }
    throw new TemplateException(
        Kind.TYPE, "bad operand type for unary %s: '%s'".formatted(operator, Values.type(value)));
  }

  static boolean equal(Object a, Object b) {
    Budget.spend(1);
    if (a == null || b == null) {
      return a == b;
    } else if (Values.isNumber(a) && Values.isNumber(b)) {
      return order(a, b) == 0;
    } else if (a instanceof Seq x && b instanceof Seq y) {
      return (x.kind() == y.kind() || x.kind().isView() && y.kind().isView())
          && equalAll(x.items(), y.items());
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return equalAll(x, y);
    } else if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      if (x.size() != y.size()) {
        return false;
      }
      for (Map.Entry<?, ?> entry : x.entrySet()) {
        if (!y.containsKey(entry.getKey()) || !equal(entry.getValue(), y.get(entry.getKey()))) {
          return false;
        }
      }
      return true;
    } else if (a instanceof Undefined && b instanceof Undefined) {
      return true;
    }
    return a.equals(b);
  }

  private static boolean equalAll(List<?> a, List<?> b) {
    if (a.size() != b.size()) {
      return false;
    }
    Iterator<?> other = b.iterator();
    for (Object item : a) {
      if (!equal(item, other.next())) {
        return false;
      }
    }
    return true;
  }

  /** The order of two numbers; 2 if one is not a number. */
  private static int order(Object a, Object b) {
    BigInteger x = Values.whole(a);
    BigInteger y = Values.whole(b);
    if (x != null && y != null) {
      return x.compareTo(y);
    }
    double p = x == null ? (Double) a : x.doubleValue();
    double q = y == null ? (Double) b : y.doubleValue();
    if (Double.isNaN(p) || Double.isNaN(q)) {
      return 2;
    }
    if (Double.isInfinite(p) || Double.isInfinite(q)) {
      return Double.compare(p, q);
    }
    BigDecimal exact = x == null ? new BigDecimal((Double) a) : new BigDecimal(x);
    return exact.compareTo(y == null ? new BigDecimal((Double) b) : new BigDecimal(y));
  }

  /** Python's order of two values: negative, 0, positive; 2 if there is none. */
  static int compare(String operator, Object a, Object b) {
    Budget.spend(1);
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return order(a, b);
    } else if (a instanceof Text x && b instanceof Text y) {
      return Integer.signum(x.compareTo(y));
    } else if (a instanceof Undefined undefined) {
      throw undefined.error();
    } else if (b instanceof Undefined undefined) {
      throw undefined.error();
    } else if (a instanceof List<?> x && b instanceof List<?> y) {
      return compareAll(operator, x, y);
    } else if (a instanceof Seq x && b instanceof Seq y && !x.kind().isView()) {
      return compareAll(operator, x.items(), y.items());
    }
    throw new TemplateException(
        Kind.TYPE,
        "'%s' not supported between instances of '%s' and '%s'"
            .formatted(operator, Values.type(a), Values.type(b)));
  }

  private static int compareAll(String operator, List<?> a, List<?> b) {
    for (int i = 0; i < a.size() && i < b.size(); i++) {
      if (!equal(a.get(i), b.get(i))) {
        return compare(operator, a.get(i), b.get(i));
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  static boolean test(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> equal(a, b);
      case "!=" -> !equal(a, b);
      case "in" -> contains(b, a);
      case "not in" -> !contains(b, a);
      default -> {
        int order = compare(operator, a, b);
        yield order != 2
            && switch (operator) {
              case "<" -> order < 0;
              case "<=" -> order <= 0;
              case ">" -> order > 0;
              default -> order >= 0;
            };
      }
    };
  }

  static boolean contains(Object in, Object value) {
    if (in instanceof Text text) {
      if (value instanceof Text part) {
        Budget.spend(text.length() >> 4);
        return text.toString().contains(part.toString());
      }
      throw new TemplateException(
          Kind.TYPE, "'in <string>' requires string as left operand, not " + Values.type(value));
    } else if (in instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(value));
    } else if (in == null || Values.isNumber(in)) {
      throw new TemplateException(
          Kind.TYPE, "argument of type '%s' is not iterable".formatted(Values.type(in)));
    }
    for (Object item : Values.items(in)) {
      if (equal(item, value)) {
        return true;
      }
    }
    return false;
  }
}
