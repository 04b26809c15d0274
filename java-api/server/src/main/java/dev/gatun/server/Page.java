package dev.gatun.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a browser may do with the page: run its own script and style, and talk to this server. */
final class Page {
  private static final Pattern INLINE =
      Pattern.compile("<(script|style)>(.*?)</\\1>", Pattern.DOTALL);

  private Page() {}

  /** The Content-Security-Policy of a page, which allows what it has inline by its hash. */
  static String policy(byte... page) {
    StringBuilder policy =
        new StringBuilder(
            "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action"
                + " 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'");
    Matcher inline = INLINE.matcher(new String(page, StandardCharsets.UTF_8));
    while (inline.find()) {
      policy
          .append("; ")
          .append(inline.group(1))
          .append("-src '")
          .append(hash(inline.group(2)))
          .append('\'');
    }
    return policy.toString();
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
