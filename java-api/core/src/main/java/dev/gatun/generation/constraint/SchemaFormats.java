package dev.gatun.generation.constraint;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The formats of JSON Schema that strings are held to. Where a format allows more than anybody
 * writes, such as quoted parts of mail addresses, it is the usual part of it.
 */
final class SchemaFormats {
  private static final String LEAP =
      "(?:(?:[02468][048]|[13579][26])00|\\d\\d(?:0[48]|[2468][048]|[13579][26]))-02-29";
  private static final String DATE =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|"
          + LEAP
          + ")";
  // RFC 3339 has -00:00 for an offset that nobody knows, which readers of ISO 8601 refuse.
  private static final String OFFSET =
      "(?:Z|\\+(?:0\\d|1[0-7]):[0-5]\\d"
          + "|-(?:00:(?:0[1-9]|[1-5]\\d)|(?:0[1-9]|1[0-7]):[0-5]\\d))";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?" + OFFSET;
  private static final String OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String IPV4 = "(?:" + OCTET + "\\.){3}" + OCTET;
  private static final String WORDS = "[a-zA-Z][a-zA-Z0-9]{0,60}";
  private static final String HOST = "(?:" + WORDS + "\\.){0,2}" + WORDS;
  private static final String PATH = "(?:/[a-zA-Z0-9._~-]{0,255}){0,64}";
  private static final String QUERY = "(?:\\?[a-zA-Z0-9._~=&-]*)?";
  private static final String FRAGMENT = "(?:#[a-zA-Z0-9._~/-]*)?";

  private static final Map<String, Expression> ALL = new TreeMap<>();

  static {
    put("date", DATE);
    put("time", TIME);
    put("date-time", DATE + "T" + TIME);
    put(
        "duration",
        "P(?:\\d{1,9}W|(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)"
            + "(?:T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?"
            + "|T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))");
    put("email", "[a-zA-Z0-9_+-]{1,30}(?:\\.[a-zA-Z0-9_+-]{1,30})?@" + WORDS + "\\.[a-zA-Z]{2,60}");
    put("hostname", HOST);
    put("ipv4", IPV4);
    put("ipv6", ipv6());
    put("uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
    put("uri", "https?://" + HOST + "(?::[1-9]\\d{0,3})?" + PATH + QUERY + FRAGMENT);
    put("json-pointer", "(?:/(?:[^~/#\\\\\\x00-\\x1f]|~[01])*)*");
  }

  private SchemaFormats() {}

  private static void put(String name, String regex) {
    ALL.put(name, RegexParser.whole(regex));
  }

  private static String ipv6() {
    String h = "[0-9a-fA-F]{1,4}";
    StringBuilder all = new StringBuilder("(?:" + h + ":){7}" + h);
    // Two colons stand for one group of zeros or more.
    for (int before = 0; before <= 6; before++) {
      String begin = before == 0 ? ":" : "(?:" + h + ":){" + before + "}";
      int after = 7 - before;
      all.append("|").append(begin);
      all.append("(?:(?::").append(h).append("){1,").append(after).append("}|:)");
    }
    return all.append("|(?:").append(h).append(":){7}:").toString();
  }

  /** The language of a format; null where it is not known. */
  static Expression find(String name) {
    return ALL.get(name);
  }

  /** The formats that are known. */
  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }
}
