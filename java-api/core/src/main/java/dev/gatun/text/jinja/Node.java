package dev.gatun.text.jinja;

import java.util.List;
import java.util.Map;

/** The parts of a parsed template. {@code at} is an offset in the source. */
sealed interface Node {
  /** What has a value. */
  sealed interface Expr extends Node {}

  record Literal(Object value) implements Expr {}

  record Name(int at, String name) implements Expr {}

  record ListOf(List<Expr> items, boolean tuple) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  record Unary(int at, String operator, Expr of) implements Expr {}

  record Binary(int at, String operator, Expr left, Expr right) implements Expr {}

  record Concat(int at, List<Expr> parts) implements Expr {}

  record Logic(boolean and, Expr left, Expr right) implements Expr {}

  record Compare(int at, Expr first, List<String> operators, List<Expr> rest) implements Expr {}

  record Choice(Expr test, Expr then, Expr otherwise) implements Expr {}

  record Attribute(int at, Expr of, String name) implements Expr {}

  record Item(int at, Expr of, Expr index) implements Expr {}

  record Slice(int at, Expr of, Expr start, Expr stop, Expr step) implements Expr {}

  record Call(int at, Expr of, Args args) implements Expr {}

  /** {@code of} is null in a filter block and for a set block: the block's text. */
  record Filter(int at, Expr of, String name, Args args) implements Expr {}

  record Test(int at, Expr of, String name, Args args) implements Expr {}

  /** Arguments as written; {@code list} and {@code map} are those behind stars, or null. */
  record Args(List<Expr> all, Map<String, Expr> named, Expr list, Expr map) {
    static final Args NONE = new Args(List.of(), Map.of(), null, null);
  }

  /** What is done. */
  sealed interface Stmt extends Node {}

  record Data(Text text) implements Stmt {}

  record Output(Expr of) implements Stmt {}

  record If(List<Expr> tests, List<List<Stmt>> bodies, List<Stmt> otherwise) implements Stmt {}

  record For(
      int at,
      Target target,
      Expr in,
      Expr filter,
      List<Stmt> body,
      List<Stmt> otherwise,
      boolean recursive)
      implements Stmt {}

  record Set(int at, Target target, Expr value) implements Stmt {}

  /** {@code filters} ends at a filter of nothing, or is null. */
  record SetBlock(int at, Target target, Expr filters, List<Stmt> body) implements Stmt {}

  /** A default is null where there is none; the flags tell what its body speaks of. */
  record Macro(
      int at,
      String name,
      List<String> names,
      List<Expr> defaults,
      List<Stmt> body,
      boolean caller,
      boolean varargs,
      boolean kwargs)
      implements Stmt {}

  record CallBlock(int at, Expr call, Macro caller) implements Stmt {}

  record FilterBlock(int at, Expr filters, List<Stmt> body) implements Stmt {}

  record With(List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {}

  record Jump(boolean out) implements Stmt {}

  /** A statement that needs another template. */
  record Load(int at) implements Stmt {}

  /** What a value is given to. */
  sealed interface Target {}

  record ToName(String name) implements Target {}

  record ToAttribute(int at, String namespace, String attribute) implements Target {}

  record ToAll(int at, List<Target> targets) implements Target {}
}
