package dev.gatun.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who wrote what, how much a template may do, and where it went wrong. */
final class TemplateTest {
  private static final Map<String, Object> DATA =
      Map.of("m", "<|x|>", "l", List.of("<|x|>", "<|x|>"), "d", Map.of("<|x|>", "<|x|>"));

  /** Each gives characters of data only between square brackets. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{{ m }}]",
        "{{ '[' + m + ']' }}",
        "{{ '[' ~ m ~ ']' }}",
        "[{{ m | upper | lower | title | capitalize | trim | safe | string }}]",
        "[{{ m[1:] }}][{{ m[::-1] }}][{{ m[0] }}]",
        "[{{ m.replace('x', 'y') | replace('y', m) | length and m }}]",
        "{{ '[abc]'.replace('abc', m) }}",
        "[{{ l | join }}][{{ l[0] * 3 }}][{{ m.split('|') | last }}]",
        "{{ '[%s]' % m }}{{ '[{}]'.format(m) }}{{ '[%s]' | format(m) }}",
        "{% for k, v in d.items() %}[{{ k ~ v }}]{% endfor %}",
        "{% set x %}[{{ m }}]{% endset %}{{ x }}",
        "{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f(m) }}{% filter trim %}[{{ m }}]{% endfilter"
            + " %}",
        "{% macro f(a) %}[{{ caller() }}]{% endmacro %}{% call f(1) %}{{ m }}{% endcall %}",
        "[{{ m.partition('|')[2] }}][{{ m.splitlines()[0] }}][{{ m.strip('<') }}]",
        "[{{ m | truncate(3, true, '', 0) }}][{{ m | indent(2) }}][{{ m | e }}]",
        "[{{ l | map('upper') | join(m) }}][{{ m | list | join }}][{{ m | striptags }}]",
        "[{{ (m ~ m) | urlencode }}][{{ m.center(20, m[0]) }}]",
      })
  void data_stays_data(String source) {
    Text text = Template.parse(source).render(DATA);
    int inside = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.toString().charAt(i);
      boolean bracket = c == '[' || c == ']';
      inside += bracket ? 0 : 1;
      boolean padding = c == ' ';
      assertTrue(padding || text.fromTemplate(i, i + 1) == bracket, text.spans().toString());
    }
    assertTrue(inside > 0, text.toString());
  }

  @Test
  void quotes_of_json_are_the_templates() {
    Text text = Template.parse("{{ d | tojson }}").render(DATA);
    assertEquals("{\"<|x|>\": \"<|x|>\"}", text.toString());
    assertEquals(
        List.of("{\"", "<|x|>", "\": \"", "<|x|>", "\"}"),
        text.spans().stream().map(Text.Span::text).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{%"
            + " endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{%"
            + " endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{%"
            + " endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{%"
            + " endfor %}{{ ns.x == ns.x[:] }}",
        "{{ 'a' * 999999999 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a' | center(999999999) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{{ m([x]) }}{% endmacro %}{{ m(1) }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ [1] | batch(999999999, 1) | list }}",
        "{{ [1] | slice(999999999) | list }}",
      })
  void too_much_is_an_error(String source) {
    TemplateException error =
        assertThrows(TemplateException.class, () -> Template.parse(source).render(Map.of()));
    assertTrue(error.kind() == Kind.LIMIT || error.kind() == Kind.RECURSION, error::getMessage);
    assertTrue(error.line() == 1 && error.column() > 0, error::getMessage);
  }

  @Test
  void deep_source_is_an_error() {
    for (String open :
        List.of("(", "[", "-", "not ", "{1: ", "x[", "x(", "x if ", "1 if 1 else ")) {
      String source = "{{ " + open.repeat(2_000) + "1";
      TemplateException error =
          assertThrows(TemplateException.class, () -> Template.parse(source), open);
      assertEquals(Kind.RECURSION, error.kind(), open);
    }
    for (String link : List.of(" + 1", ".x", "[0]", "()", " | e", " and 1")) {
      String source = "{{ 1" + link.repeat(2_000) + " }}";
      assertThrows(
          TemplateException.class, () -> Template.parse(source).render(Map.of("x", 1)), link);
    }
    String blocks = "{% if 1 %}".repeat(2_000);
    assertEquals(
        Kind.RECURSION, assertThrows(TemplateException.class, () -> Template.parse(blocks)).kind());
  }

  @Test
  void nothing_of_java_is_reached() {
    String tries =
        "{{ m.class is defined }}{{ m.getClass is defined }}{{ m.bytes is defined }}{{ l.getClass"
            + " is defined }}{{ d['class'] is defined }}{{ d.entrySet is defined }}{{"
            + " range.getClass is defined }}{{ range.call is defined }}{{ m.hashCode is defined }}";
    assertEquals("False".repeat(9), Template.parse(tries).render(DATA).toString());
    assertThrows(
        IllegalArgumentException.class,
        () -> Template.parse("{{ o }}").render(Map.of("o", new Object())));
  }

  @Test
  void errors_name_the_place() {
    Template template =
        Template.parse("a\n  {{ m }}\n {% if 1 %}{{ raise_exception('no') }}{% endif %}");
    TemplateException error =
        assertThrows(
            TemplateException.class,
            () -> template.render(DATA, Limits.DEFAULT, LocalDateTime::now));
    assertEquals("chat template, line 3, column 30: no", error.getMessage());
    assertEquals(Kind.TEMPLATE, error.kind());
    TemplateException syntax =
        assertThrows(TemplateException.class, () -> Template.parse("x\n{% break %}"));
    assertEquals(
        "chat template, line 2, column 4: TemplateSyntaxError: 'break' outside of a loop",
        syntax.getMessage());
  }

  @Test
  void generation_blocks_are_rendered() {
    Template template = Template.parse("a{% generation %}{{ m }}{% endgeneration %}");
    assertEquals("a<|x|>", template.render(DATA).toString());
  }
}
