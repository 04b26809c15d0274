package dev.gatun.generation.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What JSON schemas take and do not, by hand; random ones are held to a validator elsewhere. */
final class JsonSchemaTest {
  private static final TokenTrie TRIE = Vocabularies.small();

  private static void holds(String schema, String[] taken, String... others) {
    TokenAutomaton automaton =
        new TokenAutomaton(Notations.jsonSchema(schema.replace('\'', '"')), TRIE, false);
    for (String text : taken) {
      assertTrue(
          Vocabularies.accepts(automaton, text.replace('\'', '"')), () -> "not taken: " + text);
    }
    for (String text : others) {
      assertEquals(
          false, Vocabularies.accepts(automaton, text.replace('\'', '"')), () -> "taken: " + text);
    }
  }

  private static String[] texts(String... all) {
    return all;
  }

  @Test
  void types() {
    holds("true", texts("1", "-0.5e-3", "'a'", "null", "{'a':[1,{}]}", "[ ]"), "", "nul", "01");
    holds("{}", texts("1", "'\\u00e9\\ud83d\\ude00'"), "'\\ud83d'", "'\\ude00'", "1.", "+1");
    holds("{'type':'integer'}", texts("0", "-12"), "1.0", "-", "00", "'1'");
    holds("{'type':['string','null']}", texts("'a'", "null"), "1", "true");
    holds("{'type':'boolean'}", texts("true", "false"), "null", "True");
    holds("{'type':'object'}", texts("{}", "{\n  'a': 1\n}"), "[]", "{'a'}", "{'a':1,}");
    holds(
        "{'enum':[1,'a',null,{'x':[1,2]}]}", texts("1", "'a'", "{'x': [1, 2]}"), "2", "{'x':[1]}");
    holds("{'enum':[1,'a',2.5],'type':'integer'}", texts("1"), "'a'", "2.5");
    holds("{'const':'a\\'b\\n'}", texts("'a\\'b\\n'"), "'a'");
  }

  @Test
  void numbers() {
    holds("{'type':'integer','minimum':-3,'maximum':12}", texts("-3", "0", "9", "12"), "-4", "13");
    holds(
        "{'type':'integer','exclusiveMinimum':98,'exclusiveMaximum':1002}",
        texts("99", "100", "1001"),
        "98",
        "1002",
        "9",
        "-99");
    holds("{'type':'integer','minimum':0}", texts("0", "123456789012345678"), "-1");
    holds("{'type':'integer','maximum':-10}", texts("-10", "-99"), "-9", "10", "0");
    holds("{'type':'integer','multipleOf':7}", texts("0", "7", "-14", "7000"), "1", "70001");
    holds("{'type':'integer','multipleOf':3,'minimum':10}", texts("12", "99"), "9", "10");
    holds(
        "{'type':'number','minimum':0.5,'exclusiveMaximum':2}",
        texts("0.5", "0.50", "1", "1.999", "1.0"),
        "0.49",
        "2",
        "2.0",
        "0",
        "5e-1");
    holds(
        "{'type':'number','minimum':-1.25,'maximum':-0.5}",
        texts("-1.25", "-1", "-0.5", "-0.75", "-1.2"),
        "-1.26",
        "-0.49",
        "0",
        "1");
    holds("{'type':'number','exclusiveMinimum':0}", texts("0.001", "1", "12.5"), "0", "0.0", "-1");
    holds("{'type':'number','exclusiveMaximum':0}", texts("-0.001", "-1"), "0", "-0", "-0.0");
    holds("{'type':['number','null'],'minimum':17.4,'maximum':4.6}", texts("null"), "17.4", "17.5");
    holds("{'type':['number','null'],'minimum':-3,'maximum':-5}", texts("null"), "-3.5", "-5");
    holds("{'type':'number','maximum':0}", texts("0", "-0", "-3.5", "0.0"), "0.1", "1");
    holds("{'type':'number','minimum':1.5,'maximum':1.5}", texts("1.5", "1.500"), "1.49", "1.51");
    holds(
        "{'type':'number','multipleOf':0.25}",
        texts("0.25", "1.50", "1.5", "-3", "-3.0", "0.75"),
        "0.3",
        "0.2",
        "1.",
        "0.250");
    holds("{'type':'number','multipleOf':0.01,'minimum':0}", texts("1.10", "0.01"), "0.001", "-1");
    holds("{'type':'integer','format':'int32'}", texts("2147483647", "-2147483648"), "2147483648");
  }

  @Test
  void bounds_hold_digit_by_digit() {
    holds(
        "{'type':'integer','minimum':25,'maximum':68}", texts("25", "30", "68"), "24", "69", "20");
    holds(
        "{'type':'number','minimum':0.25,'maximum':3.62}",
        texts("0.25", "0.3", "3.62", "3.6199", "3.1"),
        "0.249",
        "3.63",
        "3.7",
        "0.1");
  }

  @Test
  void members_that_one_schema_names_are_others_to_another() {
    holds(
        "{'allOf':[{'properties':{'b':{'type':['string','integer']}}},"
            + "{'type':'object','additionalProperties':{'type':'integer'}}]}",
        texts("{'b':1}", "{'b':1,'c':2}", "{}"),
        "{'b':'s'}",
        "{'c':'s'}");
  }

  @Test
  void control_characters_are_written_either_way() {
    holds(
        "{'type':'string','pattern':'^[^x]{2}$'}",
        texts("'\\u001f\\u001F'", "'\\n\\\\'"), "'\\u001f'");
  }

  @Test
  void strings() {
    holds(
        "{'type':'string','minLength':2,'maxLength':3}",
        texts("'ab'", "'a\\n\\u0041'", "'水\ud83d\ude00é'", "'\\ud83d\\ude00a'"),
        "'a'",
        "'abcd'");
    holds("{'type':'string','pattern':'^a+$'}", texts("'a'", "'aaa'"), "''", "'ab'");
    holds("{'type':'string','pattern':'b'}", texts("'b'", "'abc\\n'"), "'a'", "''");
    holds(
        "{'type':'string','pattern':'^[^x]{2}$'}", texts("'\\'\\\\'", "'\\u0001a'"), "'x1'", "'a'");
    holds(
        "{'type':'string','pattern':'^(ab)*$','minLength':3,'maxLength':6}",
        texts("'abab'", "'ababab'"),
        "'ab'",
        "'abababab'",
        "''");
    holds(
        "{'type':'string','pattern':'a','allOf':[{'pattern':'b'},{'maxLength':3}]}",
        texts("'ab'", "'bxa'"),
        "'aa'",
        "'abxx'");
    holds(
        "{'type':'string','format':'date'}",
        texts("'2024-02-29'", "'1999-12-31'"),
        "'2023-02-29'",
        "'2024-04-31'",
        "'24-01-01'");
    holds(
        "{'type':'string','format':'date-time'}",
        texts(
            "'2024-02-29T23:59:59Z'",
            "'2024-01-01T00:00:00.5+01:30'",
            "'2024-01-01T00:00:00-00:30'"),
        "'2024-01-01T24:00:00Z'",
        "'2024-01-01T00:00:00-00:00'");
    holds(
        "{'type':'string','format':'uuid','maxLength':36}",
        texts("'123e4567-e89b-12d3-a456-426614174000'"),
        "'123e4567'");
    holds("{'format':'ipv4'}", texts("'10.0.0.255'", "7"), "'10.0.0.256'", "'1.2.3'");
    holds(
        "{'type':'string','format':'ipv6'}",
        texts("'::'", "'::1'", "'1:2:3:4:5:6:7:8'", "'fe80::1:2'", "'1:2:3:4:5:6:7::'"),
        "'1:2'",
        "':::'",
        "'1::2::3'");
    holds("{'type':'string','format':'email'}", texts("'a.b@example.org'"), "'a@'", "'@b.c'");
    holds("{'minLength':2}", texts("1", "'ab'", "[]"), "'a'");
  }

  @Test
  void arrays() {
    holds(
        "{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':3}",
        texts("[1]", "[1, 2,3]", "[\n1\n]"),
        "[]",
        "[1,2,3,4]",
        "['a']",
        "[1,]");
    holds(
        "{'type':'array','prefixItems':[{'const':1},{'const':2}],'items':{'const':3},'minItems':1}",
        texts("[1]", "[1,2]", "[1,2,3,3]"),
        "[]",
        "[2]",
        "[1,3]");
    holds(
        "{'type':'array','prefixItems':[{'const':1},{'const':2}],'items':false}",
        texts("[]", "[1]", "[1,2]"),
        "[1,2,3]");
    holds(
        "{'type':'array','prefixItems':[{'const':1},{'const':2}],'maxItems':1}",
        texts("[]", "[1]"),
        "[1,2]");
    holds("{'type':'array','maxItems':0}", texts("[]", "[ ]"), "[1]");
    holds(
        "{'type':'array','minItems':2,'prefixItems':[{'const':1}]}",
        texts("[1,null]", "[1,2,3]"),
        "[1]",
        "[2,2]");
    holds(
        "{'type':'array','items':{'type':'null'},'minItems':999,'maxItems':1000}",
        texts("[" + "null,".repeat(998) + "null]"),
        "[" + "null,".repeat(997) + "null]");
  }

  @Test
  void objects() {
    String two = "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'null'}}";
    holds(
        two + "}",
        texts("{}", "{'a':1}", "{'b':null}", "{'a':1, 'b':null, 'c':'x','d':[]}"),
        "{'a':'x'}",
        "{'b':null,'a':1}",
        "{'c':1,'a':1}",
        "{,}",
        "{'\\u0061':'x'}");
    holds(
        two + ",'required':['b'],'additionalProperties':false}",
        texts("{'b':null}", "{'a':1,'b':null}"),
        "{}",
        "{'a':1}",
        "{'b':null,'c':1}");
    holds(
        two + ",'required':['z','a'],'additionalProperties':{'type':'string'}}",
        texts("{'a':1,'z':'q'}", "{'a':1,'b':null,'z':'q','y':'r'}"),
        "{'a':1}",
        "{'a':1,'z':2}");
    holds(
        two + ",'additionalProperties':false,'minProperties':1}",
        texts("{'a':1}", "{'b':null}"),
        "{}");
    holds(two + ",'maxProperties':1}", texts("{}", "{'a':1}", "{'q':1}"), "{'a':1,'b':null}");
    holds(
        "{'type':'object','minProperties':1,'maxProperties':2}",
        texts("{'a':1}", "{'a':1,'b':2}"),
        "{}",
        "{'a':1,'b':2,'c':3}");
    holds(
        "{'type':'object','properties':{'ab':{'const':1}},"
            + "'patternProperties':{'^a':{'type':'integer'},'b$':{'minimum':5}},"
            + "'additionalProperties':{'type':'null'}}",
        texts("{'ax':3}", "{'xb':7}", "{'axb':5}", "{'z':null}", "{'xb':'s'}"),
        "{'ax':null}",
        "{'xb':4}",
        "{'axb':4}",
        "{'z':1}",
        "{'ab':1}");
    holds(
        "{'type':'object','patternProperties':{'^x-':true},'additionalProperties':false}",
        texts("{}", "{'x-a':1}"),
        "{'a':1}");
    holds(
        "{'type':'object','properties':{'a':false,'b':true},'required':['b']}",
        texts("{'b':1}"),
        "{'a':1,'b':1}",
        "{}");
  }

  @Test
  void references_and_combinations() {
    holds(
        "{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'v':{'type':'integer'},"
            + "'next':{'anyOf':[{'$ref':'#/$defs/n'},{'type':'null'}]}},"
            + "'required':['v','next'],'additionalProperties':false}}}",
        texts("{'v':1,'next':null}", "{'v':1,'next':{'v':2,'next':null}}"),
        "{'v':1}",
        "null");
    holds("{'type':'array','items':{'$ref':'#'}}", texts("[]", "[[],[[]]]"), "[1]");
    holds(
        "{'$defs':{'a/b~c':{'$anchor':'it','const':1}},'anyOf':"
            + "[{'$ref':'#/$defs/a~1b~0c'},{'$ref':'#it'}]}",
        texts("1"),
        "2");
    holds(
        "{'allOf':[{'type':'object','properties':{'a':{'minimum':3}}},"
            + "{'properties':{'a':{'type':'integer'},'b':true},'required':['a']}]}",
        texts("{'a':3}", "{'a':4,'b':1}"),
        "{'a':2}",
        "{}",
        "{'a':'x'}");
    holds(
        "{'type':'object','properties':{'k':{'type':'string'}},'required':['k'],'oneOf':["
            + "{'properties':{'k':{'const':'x'},'p':{'type':'integer'}},'required':['p']},"
            + "{'properties':{'k':{'const':'y'}}}]}",
        texts("{'k':'x','p':1}", "{'k':'y'}", "{'k':'y','p':'s'}"),
        "{'k':'x'}",
        "{'k':'z'}");
    holds(
        "{'oneOf':[{'type':'integer','maximum':3},{'type':'integer','minimum':4},"
            + "{'type':'string'}]}",
        texts("3", "4", "'a'"),
        "null",
        "3.5");
    holds(
        "{'title':'t','description':'d','default':3,'x-any':1,'anyOf':[{'const':1},{'const':2}]}",
        texts("1", "2"),
        "3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{'not':{}}; #/not; 'not' is not supported",
        "{'properties':{'a/b':{'if':true}}}; #/properties/a~1b/if; 'if' is not supported",
        "{'items':{'uniqueItems':true}}; #/items/uniqueItems; 'uniqueItems' is not supported",
        "{'contains':{}}; #/contains; 'contains' is not supported",
        "{'properties':{'a':{'tpye':'string'}}}; #/properties/a/tpye; 'tpye' is not supported",
        "{'type':'text'}; #/type; expected null, boolean",
        "{'format':'colour'}; #/format; the format 'colour' is not supported",
        "{'pattern':'a(?=b)'}; #/pattern; lookahead",
        "{'patternProperties':{'(?<!a)b':{}}}; #/patternProperties/(?<!a)b; lookbehind",
        "{'minLength':-1}; #/minLength; expected a whole number from 0",
        "{'minimum':'3'}; #/minimum; expected a number",
        "{'$ref':'#/$defs/x'}; #/$ref; there is no '#/$defs/x'",
        "{'$ref':'other.json'}; #/$ref; another document",
        "{'$ref':'#'}; #; refers to itself",
        "{'allOf':[{'$ref':'#/allOf/1'},{'$ref':'#/allOf/0'}]}; #/allOf/0; refers to itself",
        "{'oneOf':[{'minimum':3},{'type':'integer'}]}; #/oneOf; 0 and 1 may have one in common",
        "{'minProperties':3}; #/minProperties; could come twice",
        "{'type':'number','multipleOf':1234.5}; #/multipleOf; not supported",
        "{'anyOf':[]}; #/anyOf; at least one schema",
        "{'required':'a'}; #/required; expected an array",
        "{'properties':{'a':1}}; #/properties/a; expected a schema",
      })
  void what_is_not_supported_is_named_with_its_path(String schema, String path, String what) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Notations.jsonSchema(schema.replace('\'', '"')))
            .getMessage();
    assertTrue(message.startsWith("JSON schema, " + path + ": "), message);
    assertTrue(message.contains(what), message);
  }

  /**
   * As servers are sent: nothing in a schema makes reading it fail in another way, or take long.
   */
  @Test
  void large_schemas_are_read() {
    StringBuilder properties = new StringBuilder();
    StringBuilder names = new StringBuilder();
    for (int i = 0; i < 800; i++) {
      properties.append(i == 0 ? "" : ",").append("'p%d':{'type':'integer'}".formatted(i));
      names.append(i == 0 ? "" : ",").append("'value %d'".formatted(i));
    }
    holds(
        "{'type':'object','properties':{" + properties + "}}",
        texts("{'p3':1,'p799':2,'q':3}", "{}"),
        "{'p3':1,'p2':2}");
    holds("{'enum':[" + names + "]}", texts("'value 799'"), "'value 800'");
    String deep = "{'type':'array','items':".repeat(300) + "true" + "}".repeat(300);
    holds(deep, texts("[".repeat(301) + "]".repeat(301)), "[".repeat(299) + "1" + "]".repeat(299));
    String longName = "{'properties':{'" + "n".repeat(600) + "':true}}";
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> Notations.jsonSchema(longName.replace('\'', '"')))
            .getMessage()
            .contains("has a name of 600 characters"));
  }

  @Test
  void what_is_no_json_or_takes_nothing_is_refused() {
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> Notations.jsonSchema("{\n \"a\": }"))
            .getMessage()
            .startsWith("JSON schema, line 2, column "));
    for (String schema :
        new String[] {
          "false",
          "{'enum':[]}",
          "{'type':'string','minLength':3,'maxLength':2}",
          "{'type':'string','pattern':'^a$','minLength':2}",
          "{'type':'object','required':['a'],'properties':{'a':false}}",
          "{'type':'integer','minimum':3,'maximum':2}",
          "{'type':'integer','exclusiveMinimum':3,'exclusiveMaximum':4}",
          "{'type':'object','properties':{'n':{'$ref':'#'}},'required':['n']}",
        }) {
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> Notations.jsonSchema(schema.replace('\'', '"')),
                  schema)
              .getMessage()
              .contains("no text matches it"),
          schema);
    }
  }
}
