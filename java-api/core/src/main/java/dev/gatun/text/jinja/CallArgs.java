package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments of a call.
 *
 * @param all those by position
 * @param named those by name
 */
record CallArgs(List<Object> all, Map<String, Object> named) {
  static final CallArgs NONE = new CallArgs(List.of(), Map.of());

  /** The argument at {@code index} or called {@code name}; {@code otherwise} if not given. */
  Object get(int index, String name, Object otherwise) {
    if (index < all.size()) {
      return all.get(index);
    }
    return named.getOrDefault(name, otherwise);
  }

  boolean has(int index, String name) {
    return index < all.size() || named.containsKey(name);
  }

  Object need(String function, int index, String name) {
    if (!has(index, name)) {
      throw new TemplateException(
          Kind.TYPE, function + "() missing 1 required positional argument: " + Values.quote(name));
    }
    return get(index, name, null);
  }

  boolean truth(int index, String name, boolean otherwise) {
    return Values.truth(get(index, name, otherwise));
  }

  int integer(int index, String name, int otherwise) {
    return has(index, name) ? Values.index(get(index, name, null)) : otherwise;
  }

  Text text(int index, String name, String otherwise) {
    return has(index, name) ? Values.str(get(index, name, null)) : Text.template(otherwise);
  }

  /** Checks that these are arguments of {@code names}, in that order. */
  CallArgs check(String function, String... names) {
    List<String> known = List.of(names);
    if (all.size() > names.length) {
      throw new TemplateException(
          Kind.TYPE,
          "%s() takes at most %d arguments, %d given"
              .formatted(function, names.length, all.size()));
    }
    for (String name : named.keySet()) {
      if (!known.contains(name)) {
        throw new TemplateException(
            Kind.TYPE, function + "() got an unexpected keyword argument " + Values.quote(name));
      }
      if (known.indexOf(name) < all.size()) {
        throw new TemplateException(
            Kind.TYPE, function + "() got multiple values for argument " + Values.quote(name));
      }
    }
    return this;
  }

  CallArgs from(int first) {
    return new CallArgs(all.subList(Math.min(first, all.size()), all.size()), named);
  }

  CallArgs before(Object value) {
    List<Object> more = new ArrayList<>(all.size() + 1);
    more.add(value);
    more.addAll(all);
    return new CallArgs(more, named);
  }

  CallArgs with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(named);
    more.put(name, value);
    return new CallArgs(all, more);
  }
}
