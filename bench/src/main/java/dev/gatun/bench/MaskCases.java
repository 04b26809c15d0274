package dev.gatun.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A vocabulary that is in use, and schemas as programs have them, each with a text of it. */
final class MaskCases {
  private static final String VOCABULARY = "/com/knuddels/jtokkit/o200k_base.tiktoken";

  /** A schema and a text that it takes. */
  record Case(String schema, String text) {}

  static final List<Case> ALL =
      List.of(
          new Case(
              """
              {"type": "object", "properties": {
                "location": {"type": "string", "description": "City and country"},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 14}},
               "required": ["location", "unit"], "additionalProperties": false}
              """,
              "{\"location\": \"Panama City, Panama\", \"unit\": \"celsius\", \"days\": 12}"),
          new Case(
              """
              {"type": "object", "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 64},
                "email": {"type": "string", "format": "email"},
                "born": {"type": "string", "format": "date"},
                "id": {"type": "string", "format": "uuid"},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 32}},
                "about": {"type": "string", "maxLength": 400}},
               "required": ["name", "email", "tags", "about"]}
              """,
              """
              {"name": "Ada Lovelace", "email": "ada@example.org", "born": "1815-12-10",
               "id": "123e4567-e89b-12d3-a456-426614174000",
               "tags": ["mathematics", "analytical engines", "poetry"],
               "about": "She wrote what is called the first program: a way to compute Bernoulli \
              numbers by the engine, with notes that are longer than the paper that she translated."}
              """
                  .strip()),
          new Case(
              """
              {"type": "object", "properties": {"steps": {"type": "array", "items": {
                "type": "object", "properties": {
                  "explanation": {"type": "string"}, "output": {"type": "string"}},
                "required": ["explanation", "output"], "additionalProperties": false}},
               "final_answer": {"type": "string"}},
               "required": ["steps", "final_answer"], "additionalProperties": false}
              """,
              """
              {"steps": [{"explanation": "Subtract 7 from both sides.", "output": "8x = -30"},
                {"explanation": "Divide by 8, and reduce the fraction.", "output": "x = -15/4"}],
               "final_answer": "x = -15/4, which is \\"-3.75\\" as a decimal number"}
              """
                  .strip()),
          new Case(
              """
              {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
                "type": {"enum": ["div", "button", "header", "section", "field", "form"]},
                "label": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "attributes": {"type": "array", "items": {"type": "object", "properties": {
                  "name": {"type": "string"}, "value": {"type": "string"}},
                  "required": ["name", "value"], "additionalProperties": false}}},
                "required": ["type", "label", "children", "attributes"],
                "additionalProperties": false}}}
              """,
              """
              {"type": "form", "label": "Sign in", "children": [
                {"type": "field", "label": "E-mail", "children": [], "attributes": [
                  {"name": "type", "value": "email"}]},
                {"type": "button", "label": "Continue", "children": [], "attributes": []}],
               "attributes": [{"name": "class", "value": "card small"}]}
              """
                  .strip()),
          new Case(
              """
              {"type": "object", "properties": {
                "sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4,6}$"},
                "price": {"type": "number", "minimum": 0, "multipleOf": 0.01},
                "kind": {"anyOf": [{"const": "new"}, {"const": "used"}, {"type": "null"}]},
                "made": {"type": "string", "format": "date-time"},
                "slug": {"type": "string", "pattern": "^[a-z0-9-]+$", "maxLength": 40},
                "size": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}],
                  "items": false, "minItems": 2}},
               "required": ["sku", "price", "kind", "made", "slug", "size"],
               "additionalProperties": false}
              """,
              """
              {"sku": "AB-12345", "price": 19.99, "kind": "used", "made": "2024-02-29T12:30:00Z",
               "slug": "a-small-brass-sextant", "size": [12.5, 7]}
              """
                  .strip()),
          new Case(
              "{\"type\": \"object\"}",
              """
              {"any": [1, -2.5e3, true, null], "more": {"text": "Lines\\nand \\u00e9, \u6c34",
               "empty": {}}, "list": ["one", "two", ["three"]]}
              """
                  .strip()));

  private MaskCases() {}

  /** The first tokens of a vocabulary of OpenAI's, whose order is that of its merges. */
  static byte[][] vocabulary(int tokens) throws IOException {
    try (InputStream in = MaskCases.class.getResourceAsStream(VOCABULARY)) {
      if (in == null) {
        throw new IOException("there is no " + VOCABULARY + " on the class path");
      }
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
      List<byte[]> all = new ArrayList<>();
      for (String line = lines.readLine();
          line != null && all.size() < tokens;
          line = lines.readLine()) {
        all.add(Base64.getDecoder().decode(line.substring(0, line.indexOf(' '))));
      }
      return all.toArray(byte[][]::new);
    }
  }
}
