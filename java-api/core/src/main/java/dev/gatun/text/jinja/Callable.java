package dev.gatun.text.jinja;

/** What a template can call. */
interface Callable {
  Object call(CallArgs args);
}
