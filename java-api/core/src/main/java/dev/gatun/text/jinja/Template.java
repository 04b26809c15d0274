package dev.gatun.text.jinja;

import dev.gatun.text.jinja.Node.Stmt;
import dev.gatun.text.jinja.TemplateException.Kind;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A Jinja template. Immutable: may be rendered by several threads. Nothing of Java can be reached
 * from it, and it cannot change what it is given.
 */
public final class Template {
  private final String source;
  private final List<Stmt> body;

  private Template(String source, List<Stmt> body) {
    this.source = source;
    this.body = body;
  }

  /**
   * {@return the template of a source}
   *
   * @param source in Jinja
   * @throws TemplateException if {@code source} is none
   */
  public static Template parse(String source) {
    Objects.requireNonNull(source, "source");
    String normal = Lexer.normal(source);
    try {
      return new Template(normal, new Parser(normal).template());
    } catch (TemplateException e) {
      throw e.at(normal, 0);
    } catch (StackOverflowError e) {
      throw new TemplateException(Kind.RECURSION, "").at(normal, 0);
    }
  }

  /**
   * {@return what it renders to with {@link Limits#DEFAULT} at the present time}
   *
   * @param variables as for {@link #render(Map, Limits, Supplier)}
   * @throws TemplateException if the template gives up, does what cannot be done, or does too much
   * @throws IllegalArgumentException if a variable is of another type
   */
  public Text render(Map<String, ?> variables) {
    return render(variables, Limits.DEFAULT, LocalDateTime::now);
  }

  /**
   * {@return what it renders to, with the origin of each character}
   *
   * @param variables strings, numbers, booleans, lists, maps, Jackson's nodes and nulls; strings
   *     are data unless they are a {@link Text} that says otherwise
   * @param limits how much the template may do
   * @param now the time that {@code strftime_now} writes
   * @throws TemplateException if the template gives up, does what cannot be done, or does too much
   * @throws IllegalArgumentException if a variable is of another type
   */
  public Text render(Map<String, ?> variables, Limits limits, Supplier<LocalDateTime> now) {
    Scope context = new Scope(Globals.scope(now));
    variables.forEach((name, value) -> context.set(name, Values.of(value)));
    Budget budget = new Budget(limits);
    Interpreter run = new Interpreter(budget);
    try {
      return ScopedValue.where(Budget.CURRENT, budget).call(() -> run.captured(body, context));
    } catch (TemplateException e) {
      throw e.at(source, run.at());
    } catch (StackOverflowError e) {
      throw new TemplateException(Kind.RECURSION, "maximum recursion depth exceeded")
          .at(source, run.at());
    }
  }
}
