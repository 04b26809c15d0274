package dev.gatun.text.jinja;

import java.util.Map;

/**
 * The one kind of value whose attributes a template may set.
 *
 * @param values its attributes
 */
record Namespace(Map<String, Object> values) {}
