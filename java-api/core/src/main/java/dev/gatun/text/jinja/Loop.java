package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.List;
import java.util.function.Function;

/** What a template sees of the loop that it is in. */
final class Loop implements Callable {
  private final List<Object> items;
  private final int depth;
  private final Function<Object, Object> again;
  private int index = -1;
  private List<Object> last;

  /** {@code again} renders the loop over other elements; null if it is not recursive. */
  Loop(List<Object> items, int depth, Function<Object, Object> again) {
    this.items = items;
    this.depth = depth;
    this.again = again;
  }

  void next() {
    index++;
  }

  int size() {
    return items.size();
  }

  Object get(String name) {
    return switch (name) {
      case "index" -> Values.integer(index + 1);
      case "index0" -> Values.integer(index);
      case "revindex" -> Values.integer(items.size() - index);
      case "revindex0" -> Values.integer(items.size() - index - 1);
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> Values.integer(items.size());
      case "depth" -> Values.integer(depth + 1);
      case "depth0" -> Values.integer(depth);
      case "previtem" ->
          index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
      case "nextitem" ->
          index == items.size() - 1 ? new Undefined("there is no next item") : items.get(index + 1);
      case "cycle" -> (Callable) this::cycle;
      case "changed" -> (Callable) this::changed;
      default -> null;
    };
  }

  private Object cycle(CallArgs args) {
    if (args.all().isEmpty()) {
      throw new TemplateException(Kind.TYPE, "no items for cycling given");
    }
    return args.all().get(index % args.all().size());
  }

  private Object changed(CallArgs args) {
    List<Object> before = last;
    last = args.all();
    return before == null || !Operators.equal(before, last);
  }

  @Override
  public Object call(CallArgs args) {
    if (again == null) {
      throw new TemplateException(
          Kind.TYPE, "The loop must have the 'recursive' marker to be called recursively.");
    }
    return again.apply(args.need("loop", 0, "iterable"));
  }

  @Override
  public String toString() {
    return "<LoopContext " + (index + 1) + "/" + items.size() + ">";
  }
}
