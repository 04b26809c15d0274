package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;

/** Dates as Python's strftime writes them in the C locale. */
final class Strftime {
  private static final Map<Character, String> PATTERNS =
      Map.ofEntries(
          Map.entry('a', "EEE"),
          Map.entry('A', "EEEE"),
          Map.entry('b', "MMM"),
          Map.entry('B', "MMMM"),
          Map.entry('h', "MMM"),
          Map.entry('c', "EEE MMM ppd HH:mm:ss yyyy"),
          Map.entry('d', "dd"),
          Map.entry('D', "MM/dd/yy"),
          Map.entry('e', "ppd"),
          Map.entry('f', "SSSSSS"),
          Map.entry('F', "yyyy-MM-dd"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('j', "DDD"),
          Map.entry('m', "MM"),
          Map.entry('M', "mm"),
          Map.entry('p', "a"),
          Map.entry('R', "HH:mm"),
          Map.entry('S', "ss"),
          Map.entry('T', "HH:mm:ss"),
          Map.entry('x', "MM/dd/yy"),
          Map.entry('X', "HH:mm:ss"),
          Map.entry('y', "yy"),
          Map.entry('Y', "yyyy"));

  private Strftime() {}

  static String format(LocalDateTime time, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      char code = format.charAt(++i);
      if (code == '-' && i + 1 < format.length()) {
        out.append(field(time, format.charAt(++i)).replaceFirst("^[0 ]+(?=.)", ""));
      } else {
        out.append(field(time, code));
      }
    }
    return out.toString();
  }

  private static String field(LocalDateTime time, char code) {
    int weekday = time.getDayOfWeek().getValue();
    int day = time.getDayOfYear();
    return switch (code) {
      case '%' -> "%";
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'Z', 'z' -> "";
      case 'u' -> Integer.toString(weekday);
      case 'w' -> Integer.toString(weekday % 7);
      case 'U' -> "%02d".formatted((day + 6 - weekday % 7) / 7);
      case 'W' -> "%02d".formatted((day + 6 - (weekday + 6) % 7) / 7);
      case 's' ->
          Long.toString(ChronoUnit.SECONDS.between(LocalDateTime.of(1970, 1, 1, 0, 0), time));
      default -> {
        String pattern = PATTERNS.get(code);
        if (pattern == null) {
          throw new TemplateException(
              Kind.VALUE, "strftime_now does not know the directive %" + code);
        }
        yield DateTimeFormatter.ofPattern(pattern, Locale.ROOT)
            .withLocale(Locale.ENGLISH)
            .format(time);
      }
    };
  }
}
