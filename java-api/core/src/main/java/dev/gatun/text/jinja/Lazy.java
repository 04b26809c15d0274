package dev.gatun.text.jinja;

import java.util.Iterator;
import java.util.List;

/** Elements that can be gone through once, as Python's generators. */
final class Lazy {
  private final Iterator<Object> items;

  Lazy(List<Object> items) {
    this.items = items.iterator();
  }

  List<Object> rest() {
    List<Object> all = new java.util.ArrayList<>();
    items.forEachRemaining(all::add);
    return all;
  }

  Object next(Object otherwise) {
    return items.hasNext() ? items.next() : otherwise;
  }
}
