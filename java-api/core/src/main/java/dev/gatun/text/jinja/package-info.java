/**
 * A Jinja engine for chat templates: the language of jinja2 in the environment that transformers
 * documents ({@code trim_blocks}, {@code lstrip_blocks}, loop controls, immutable sandbox). Text
 * remembers who wrote it: see {@link dev.gatun.text.jinja.Text}.
 */
package dev.gatun.text.jinja;
