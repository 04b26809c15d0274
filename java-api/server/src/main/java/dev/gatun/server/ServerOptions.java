package dev.gatun.server;

import java.util.List;

/**
 * Where a server listens, and to whom.
 *
 * @param host the name or address that it is bound to
 * @param port 0 for any that is free
 * @param apiKeys who gives one of them as {@code Authorization: Bearer KEY} is served; none: the
 *     server is bound to the loopback device alone and serves whoever is on this machine
 * @param limits what it puts up with
 */
public record ServerOptions(String host, int port, List<String> apiKeys, ServerLimits limits) {
  /** The loopback address, port 8080, no key. */
  public static final ServerOptions DEFAULT =
      new ServerOptions("127.0.0.1", 8080, List.of(), ServerLimits.DEFAULT);

  /**
   * Copies and checks.
   *
   * @throws IllegalArgumentException where the port is none, or a key is no word of ASCII
   */
  public ServerOptions {
    apiKeys = List.copyOf(apiKeys);
    if (port < 0 || port > 0xFFFF) {
      throw new IllegalArgumentException("port is %d, expected 0 to 65535".formatted(port));
    }
    for (String key : apiKeys) {
      if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
        throw new IllegalArgumentException(
            "an API key is to be a word of ASCII's visible characters, and not empty");
      }
    }
  }

  /**
   * The same on another address.
   *
   * @param otherHost as {@link #host}
   * @param otherPort as {@link #port}
   * @return those options
   */
  public ServerOptions withAddress(String otherHost, int otherPort) {
    return new ServerOptions(otherHost, otherPort, apiKeys, limits);
  }

  /**
   * The same for who has one of these keys.
   *
   * @param keys as {@link #apiKeys}
   * @return those options
   */
  public ServerOptions withApiKeys(List<String> keys) {
    return new ServerOptions(host, port, keys, limits);
  }

  /**
   * The same with other limits.
   *
   * @param other as {@link #limits}
   * @return those options
   */
  public ServerOptions withLimits(ServerLimits other) {
    return new ServerOptions(host, port, apiKeys, other);
  }
}
