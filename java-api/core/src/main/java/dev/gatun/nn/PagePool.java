package dev.gatun.nn;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Which pages of a cache are in use, and by how many sequences each. A page whose tokens are known
 * is kept when nobody has it any more, for a sequence that begins alike, until its memory is
 * needed; the one that was left first goes first.
 */
final class PagePool {
  private final int[] references;
  private final int[] free;
  private final PageTree tree;
  private final LinkedHashSet<Integer> kept = new LinkedHashSet<>();
  private int freeCount;

  PagePool(int pageSize, int pages) {
    references = new int[pages];
    free = new int[pages];
    tree = new PageTree(pageSize, pages);
    // The lowest page is taken first.
    for (int i = 0; i < pages; i++) {
      free[i] = pages - 1 - i;
    }
    freeCount = pages;
  }

  int pages() {
    return references.length;
  }

  /** Pages that nobody has, those included that are kept. */
  int freePages() {
    return freeCount + kept.size();
  }

  /** A page that nobody has, for one sequence from now on. */
  int take() {
    if (freeCount == 0) {
      forget(kept.iterator().next());
    }
    int page = free[--freeCount];
    references[page] = 1;
    return page;
  }

  /** One more sequence has the page. */
  void share(int page) {
    if (references[page]++ == 0) {
      kept.remove(page);
    }
  }

  /** One sequence less has the page; the last one gives it back. */
  void release(int page) {
    if (--references[page] > 0) {
      return;
    }
    if (tree.has(page)) {
      kept.add(page);
    } else {
      free[freeCount++] = page;
    }
  }

  /** How many sequences have the page. */
  int references(int page) {
    return references[page];
  }

  /** How many of a page's tokens others may look for. */
  int known(int page) {
    return tree.known(page);
  }

  /** Says what is in a page; see {@link PageTree#put}. */
  PageTree.Node put(PageTree.Node before, boolean ofLong, int page, int... ids) {
    return tree.put(before, ofLong, page, ids);
  }

  /**
   * The pages that begin as some ids do, each for one sequence more, and how many ids they have.
   */
  int find(int[] ids, int most, boolean ofLong, List<Integer> pages) {
    List<Integer> found = new ArrayList<>();
    int tokens = tree.find(ids, most, ofLong, found);
    found.forEach(this::share);
    pages.addAll(found);
    return tokens;
  }

  /** Nobody finds a page any more, nor what comes behind it. */
  void forget(int page) {
    for (int gone : tree.forget(page)) {
      if (kept.remove(gone)) {
        free[freeCount++] = gone;
      }
    }
  }
}
