package dev.gatun.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Sees that a client has closed its connection before anything is written to it, by the table of
 * connections that Linux shows as {@code /proc/self/net/tcp}. The JDK's server tells a handler
 * nothing of it. Where there is no such table, a client that left is noticed when something is
 * written to it.
 */
final class ClientWatch {
  private static final Duration PERIOD = Duration.ofMillis(200);
  private static final Path[] TABLES = {
    Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6")
  };
  private static final String ESTABLISHED = "01";

  /** What stands before an address of IPv4 in IPv6's table. */
  private static final String V4_BEFORE = v4Before();

  private final Map<String, Runnable> watched = new ConcurrentHashMap<>();

  /** Begins to look where the table shows the server's own socket, which is bound to a port. */
  static ClientWatch start(Clock clock, int port) {
    ClientWatch watch = new ClientWatch();
    String own = "%04X".formatted(port);
    if (rows().stream().anyMatch(row -> row.length > 3 && row[1].endsWith(":" + own))) {
      clock.every(PERIOD, watch::look);
    }
    return watch;
  }

  /**
   * Watches a connection.
   *
   * @param left is called once if it is closed by its client, and must not block
   * @return ends the watch
   */
  Runnable watch(InetSocketAddress local, InetSocketAddress remote, Runnable left) {
    String key = key(hex(local), hex(remote));
    watched.put(key, left);
    return () -> watched.remove(key, left);
  }

  private void look() {
    if (watched.isEmpty()) {
      return;
    }
    Map<String, Runnable> asked = Map.copyOf(watched);
    Set<String> open = new HashSet<>();
    for (String[] row : rows()) {
      if (row.length > 3 && row[3].equals(ESTABLISHED)) {
        open.add(key(mapped(row[1]), mapped(row[2])));
      }
    }
    asked.forEach(
        (key, left) -> {
          if (!open.contains(key) && watched.remove(key, left)) {
            left.run();
          }
        });
  }

  private static String key(String local, String remote) {
    return local + ' ' + remote;
  }

  private static List<String[]> rows() {
    List<String[]> rows = new ArrayList<>();
    for (Path table : TABLES) {
      try {
        for (String line : Files.readAllLines(table, StandardCharsets.US_ASCII)) {
          rows.add(line.strip().split("\\s+", 5));
        }
      } catch (IOException e) {
        // No such table here, or no IPv6.
      }
    }
    return rows;
  }

  /** An address as IPv6's table has it: its words in the processor's order of bytes. */
  private static String hex(InetSocketAddress address) {
    byte[] bytes = address.getAddress().getAddress();
    StringBuilder hex = new StringBuilder();
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    while (words.hasRemaining()) {
      hex.append("%08X".formatted(words.getInt()));
    }
    return mapped(hex.append(":%04X".formatted(address.getPort())).toString());
  }

  private static String v4Before() {
    ByteBuffer words =
        ByteBuffer.wrap(new byte[] {0, 0, (byte) 0xFF, (byte) 0xFF}).order(ByteOrder.nativeOrder());
    return "%08X%08X%08X".formatted(0, 0, words.getInt());
  }

  /** Addresses of IPv4 are written in one way in both tables. */
  private static String mapped(String address) {
    return address.startsWith(V4_BEFORE) ? address.substring(V4_BEFORE.length()) : address;
  }
}
