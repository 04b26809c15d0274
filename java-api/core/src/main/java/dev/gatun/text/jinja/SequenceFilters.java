package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Filters of sequences and mappings. */
final class SequenceFilters {
  static final Map<String, Filters.Filter> TABLE = new HashMap<>();

  static {
    TABLE.put("length", (v, a) -> Values.integer(Values.length(v)));
    TABLE.put("count", TABLE.get("length"));
    TABLE.put("list", (v, a) -> Filters.list(v));
    TABLE.put(
        "first",
        (v, a) ->
            v instanceof Lazy lazy
                ? lazy.next(new Undefined("No first item, sequence was empty."))
                : end(v, true));
    TABLE.put("last", (v, a) -> end(v, false));
    TABLE.put("reverse", (v, a) -> reverse(v));
    TABLE.put(
        "join",
        (v, a) -> {
          Text separator = a.text(0, "d", "");
          Object attribute = a.get(1, "attribute", null);
          List<Object> parts = new ArrayList<>(Values.items(v));
          if (attribute != null) {
            parts.replaceAll(getter(attribute, null, false));
          }
          return Strings.join(separator, parts, true);
        });
    TABLE.put(
        "items",
        (v, a) -> {
          if (v instanceof Undefined) {
            return new Lazy(List.of());
          } else if (v instanceof Map<?, ?> map) {
            return new Lazy(Methods.items(map).items());
          }
          throw new TemplateException(Kind.TYPE, "Can only get item pairs from a mapping.");
        });
    TABLE.put("dictsort", SequenceFilters::dictsort);
    TABLE.put(
        "sort",
        (v, a) -> {
          a.check("do_sort", "reverse", "case_sensitive", "attribute");
          List<Object> items = Filters.list(v);
          Object attribute = a.get(2, "attribute", null);
          boolean fold = !a.truth(1, "case_sensitive", false);
          sort(items, keys(attribute, fold), a.truth(0, "reverse", false));
          return items;
        });
    TABLE.put("unique", SequenceFilters::unique);
    TABLE.put("min", (v, a) -> extreme(v, a, false));
    TABLE.put("max", (v, a) -> extreme(v, a, true));
    TABLE.put(
        "sum",
        (v, a) -> {
          a.check("do_sum", "attribute", "start");
          Object attribute = a.get(0, "attribute", null);
          Object sum = a.get(1, "start", BigInteger.ZERO);
          for (Object item : Values.items(v)) {
            Object part = attribute == null ? item : getter(attribute, null, false).apply(item);
            sum = Operators.binary("+", sum, part);
          }
          return sum;
        });
    TABLE.put("map", SequenceFilters::map);
    TABLE.put("select", (v, a) -> select(v, a, true, false));
    TABLE.put("reject", (v, a) -> select(v, a, false, false));
    TABLE.put("selectattr", (v, a) -> select(v, a, true, true));
    TABLE.put("rejectattr", (v, a) -> select(v, a, false, true));
    TABLE.put("groupby", SequenceFilters::groupby);
    TABLE.put("batch", SequenceFilters::batch);
    TABLE.put("slice", SequenceFilters::slices);
  }

  private SequenceFilters() {}

  private static Object end(Object value, boolean first) {
    List<Object> items = Values.items(value);
    if (items.isEmpty()) {
      return new Undefined("No " + (first ? "first" : "last") + " item, sequence was empty.");
    }
    return first ? items.getFirst() : items.getLast();
  }

  private static Object reverse(Object value) {
    List<Object> items = Filters.list(value);
    Collections.reverse(items);
    return value instanceof Text ? Strings.join(Text.EMPTY, items, true) : new Lazy(items);
  }

  /** Gets an attribute, in which a point goes on to another. */
  private static UnaryOperator<Object> getter(Object attribute, Object otherwise, boolean has) {
    List<Object> path = new ArrayList<>();
    if (attribute instanceof Text text) {
      for (String part : text.toString().split("\\.", -1)) {
        path.add(part.matches("\\d+") ? new BigInteger(part) : Text.template(part));
      }
    } else {
      path.add(attribute);
    }
    return item -> {
      Object value = item;
      for (Object part : path) {
        value = Access.item(value, part);
        value = value == Values.NONE ? null : value;
        if (has && value instanceof Undefined) {
          value = otherwise;
        }
      }
      return value;
    };
  }

  private static Object fold(Object value) {
    return value instanceof Text text ? Strings.lower(text) : value;
  }

  private static UnaryOperator<Object> keys(Object attribute, boolean fold) {
    List<UnaryOperator<Object>> all = new ArrayList<>();
    if (attribute instanceof Text text) {
      for (String part : text.toString().split(",", -1)) {
        all.add(getter(Text.template(part), null, false));
      }
    } else {
      all.add(attribute == null ? item -> item : getter(attribute, null, false));
    }
    return item -> {
      List<Object> made = new ArrayList<>();
      for (UnaryOperator<Object> one : all) {
        Object key = one.apply(item);
        made.add(fold ? fold(key) : key);
      }
      return made.size() == 1 ? made.getFirst() : made;
    };
  }

  private record Keyed(Object key, Object item) {}

  private static void sort(List<Object> items, UnaryOperator<Object> key, boolean reverse) {
    List<Keyed> keyed = new ArrayList<>();
    items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
    int sign = reverse ? -1 : 1;
    try {
      keyed.sort(
          (a, b) -> {
            int order = Operators.compare("<", a.key(), b.key());
            return order == 2 ? 0 : sign * order;
          });
    } catch (IllegalArgumentException e) {
      throw new TemplateException(Kind.VALUE, "the values to sort have no order");
    }
    for (int i = 0; i < items.size(); i++) {
      items.set(i, keyed.get(i).item());
    }
  }

  private static Object dictsort(Object value, CallArgs args) {
    args.check("do_dictsort", "case_sensitive", "by", "reverse");
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateException(
          Kind.ATTRIBUTE, "'%s' object has no attribute 'items'".formatted(Values.type(value)));
    }
    String by = args.text(1, "by", "key").toString();
    if (!by.equals("key") && !by.equals("value")) {
      throw new TemplateException(Kind.RUNTIME, "You can only sort by either \"key\" or \"value\"");
    }
    boolean fold = !args.truth(0, "case_sensitive", false);
    int part = by.equals("key") ? 0 : 1;
    List<Object> items = new ArrayList<>(Methods.items(map).items());
    sort(
        items,
        pair -> {
          Object key = ((Seq) pair).items().get(part);
          return fold ? fold(key) : key;
        },
        args.truth(2, "reverse", false));
    return items;
  }

  private static Object unique(Object value, CallArgs args) {
    args.check("do_unique", "case_sensitive", "attribute");
    UnaryOperator<Object> key =
        keys(args.get(1, "attribute", null), !args.truth(0, "case_sensitive", false));
    Set<Object> seen = new HashSet<>();
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(value)) {
      if (seen.add(Values.key(key.apply(item)))) {
        out.add(item);
      }
    }
    return new Lazy(out);
  }

  private static Object extreme(Object value, CallArgs args, boolean most) {
    args.check(most ? "do_max" : "do_min", "case_sensitive", "attribute");
    List<Object> items = Values.items(value);
    if (items.isEmpty()) {
      return new Undefined("No aggregated item, sequence was empty.");
    }
    UnaryOperator<Object> key =
        keys(args.get(1, "attribute", null), !args.truth(0, "case_sensitive", false));
    Object best = items.getFirst();
    for (Object item : items.subList(1, items.size())) {
      int order = Operators.compare(most ? ">" : "<", key.apply(item), key.apply(best));
      if (order != 2 && (most ? order > 0 : order < 0)) {
        best = item;
      }
    }
    return best;
  }

  private static Object map(Object value, CallArgs args) {
    List<Object> out = Filters.list(value);
    if (args.all().isEmpty() && args.named().containsKey("attribute")) {
      for (String name : args.named().keySet()) {
        if (!name.equals("attribute") && !name.equals("default")) {
          throw new TemplateException(
              Kind.TYPE, "Unexpected keyword argument " + Values.quote(name));
        }
      }
      Object otherwise = args.get(9, "default", null);
      out.replaceAll(getter(args.get(9, "attribute", null), otherwise, otherwise != null));
      return new Lazy(out);
    }
    if (args.all().isEmpty()) {
      throw new TemplateException(Kind.TYPE, "map requires a filter argument");
    }
    String name = Values.str(args.all().getFirst()).toString();
    CallArgs rest = args.from(1);
    out.replaceAll(item -> Filters.apply(name, item, rest));
    return new Lazy(out);
  }

  private static Object select(Object value, CallArgs args, boolean keep, boolean attribute) {
    int first = attribute ? 1 : 0;
    if (args.all().size() < first) {
      throw new TemplateException(Kind.TYPE, "Missing parameter for attribute name");
    }
    UnaryOperator<Object> of =
        attribute ? getter(args.all().getFirst(), null, false) : item -> item;
    boolean named = args.all().size() > first;
    String test = named ? Values.str(args.all().get(first)).toString() : null;
    CallArgs rest = args.from(first + 1);
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(value)) {
      Object tested = of.apply(item);
      if ((named ? Tests.apply(test, tested, rest) : Values.truth(tested)) == keep) {
        out.add(item);
      }
    }
    return new Lazy(out);
  }

  private static Object groupby(Object value, CallArgs args) {
    args.check("do_groupby", "attribute", "default", "case_sensitive");
    Object otherwise = args.get(1, "default", null);
    boolean fold = !args.truth(2, "case_sensitive", false);
    UnaryOperator<Object> own =
        getter(args.need("do_groupby", 0, "attribute"), otherwise, otherwise != null);
    UnaryOperator<Object> key = item -> fold ? fold(own.apply(item)) : own.apply(item);
    List<Object> items = Filters.list(value);
    sort(items, key, false);
    List<Object> groups = new ArrayList<>();
    List<Object> group = null;
    Object last = null;
    for (Object item : items) {
      Object now = key.apply(item);
      if (group == null || !Operators.equal(last, now)) {
        group = new ArrayList<>();
        groups.add(Seq.tuple(own.apply(item), group));
        last = now;
      }
      group.add(item);
    }
    return groups;
  }

  private static Object batch(Object value, CallArgs args) {
    args.check("do_batch", "linecount", "fill_with");
    int count = Values.index(args.need("do_batch", 0, "linecount"));
    Object fill = args.get(1, "fill_with", null);
    List<Object> out = new ArrayList<>();
    List<Object> row = new ArrayList<>();
    for (Object item : Values.items(value)) {
      if (row.size() == count) {
        out.add(row);
        row = new ArrayList<>();
      }
      row.add(item);
    }
    if (!row.isEmpty()) {
      Budget.spend(count);
      while (fill != null && row.size() < count) {
        row.add(fill);
      }
      out.add(row);
    }
    return new Lazy(out);
  }

  private static Object slices(Object value, CallArgs args) {
    args.check("do_slice", "slices", "fill_with");
    int count = Values.index(args.need("do_slice", 0, "slices"));
    if (count == 0) {
      throw new TemplateException(Kind.ZERO_DIVISION, "integer division or modulo by zero");
    }
    Budget.spend(Math.max(0, count));
    Object fill = args.get(1, "fill_with", null);
    List<Object> items = Values.items(value);
    int each = items.size() / count;
    int more = items.size() % count;
    List<Object> out = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < count; i++) {
      int size = each + (i < more ? 1 : 0);
      List<Object> part = new ArrayList<>(items.subList(at, at + size));
      at += size;
      if (fill != null && i >= more) {
        part.add(fill);
      }
      out.add(part);
    }
    return new Lazy(out);
  }
}
