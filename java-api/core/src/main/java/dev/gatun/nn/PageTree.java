package dev.gatun.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Pages by what is in them: the tokens of a page, behind those of the pages before it. A page is
 * found by a hash of its tokens in the page before, and compared token by token, so that two
 * beginnings are never taken for each other.
 */
final class PageTree {
  /** The tokens of a page, or its first ones. */
  private record Tokens(int[] ids) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Tokens tokens && Arrays.equals(ids, tokens.ids);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(ids);
    }
  }

  /** A page whose tokens are known, behind another one. */
  static final class Node {
    private final Node before;
    private final int page;
    private Tokens tokens;
    private final Map<Tokens, Node> next = new HashMap<>();

    private Node(Node before, int page, Tokens tokens) {
      this.before = before;
      this.page = page;
      this.tokens = tokens;
    }

    Node before() {
      return before;
    }
  }

  private final int pageSize;
  private final Node root = new Node(null, -1, null);
  // What comes first of long sequences, whose keys are others.
  private final Node longRoot = new Node(null, -1, null);
  private final Node[] nodes;

  PageTree(int pageSize, int pages) {
    this.pageSize = pageSize;
    this.nodes = new Node[pages];
  }

  /** Whether the tokens of a page are known. */
  boolean has(int page) {
    return nodes[page] != null;
  }

  /** How many tokens a page is known to have. */
  int known(int page) {
    return nodes[page] == null ? 0 : nodes[page].tokens.ids.length;
  }

  /**
   * The pages that begin as some ids do.
   *
   * @param most tokens; the last page may have others behind them
   * @param ofLong whether those of long sequences are looked for
   * @param pages takes the pages
   * @return how many of the ids they have
   */
  int find(int[] ids, int most, boolean ofLong, List<Integer> pages) {
    Node at = ofLong ? longRoot : root;
    int found = 0;
    while (found < most) {
      Node next = null;
      if (found + pageSize <= most) {
        next = at.next.get(new Tokens(Arrays.copyOfRange(ids, found, found + pageSize)));
      }
      int same = pageSize;
      if (next == null) {
        same = 0;
        for (Node each : at.next.values()) {
          int common = same(each.tokens.ids, ids, found, most);
          if (common > same) {
            same = common;
            next = each;
          }
        }
      }
      if (next == null) {
        return found;
      }
      pages.add(next.page);
      found += same;
      if (same < pageSize) {
        return found;
      }
      at = next;
    }
    return found;
  }

  private static int same(int[] tokens, int[] ids, int from, int most) {
    int end = Math.min(tokens.length, most - from);
    int at = Arrays.mismatch(tokens, 0, end, ids, from, from + end);
    return at < 0 ? end : at;
  }

  /**
   * Says what is in a page.
   *
   * @param before the page before it; null for the first
   * @param ofLong whether it is of a long sequence
   * @return the page of these tokens, another one where there was one already; null where the page
   *     is known to have others
   */
  Node put(Node before, boolean ofLong, int page, int... ids) {
    Node parent = before != null ? before : ofLong ? longRoot : root;
    Tokens tokens = new Tokens(ids);
    Node there = parent.next.get(tokens);
    if (there != null) {
      return there;
    }
    Node mine = nodes[page];
    if (mine != null) {
      if (mine.before != parent || same(mine.tokens.ids, ids, 0, ids.length) < known(page)) {
        return null;
      }
      parent.next.remove(mine.tokens);
      mine.tokens = tokens;
    } else {
      mine = new Node(parent, page, tokens);
      nodes[page] = mine;
    }
    parent.next.put(tokens, mine);
    return mine;
  }

  /**
   * Forgets a page and all that come behind it.
   *
   * @return the pages that were forgotten
   */
  List<Integer> forget(int page) {
    List<Integer> gone = new ArrayList<>();
    Node node = nodes[page];
    if (node != null) {
      node.before.next.remove(node.tokens);
      forget(node, gone);
    }
    return gone;
  }

  private void forget(Node node, List<Integer> gone) {
    nodes[node.page] = null;
    gone.add(node.page);
    node.next.values().forEach(each -> forget(each, gone));
  }
}
