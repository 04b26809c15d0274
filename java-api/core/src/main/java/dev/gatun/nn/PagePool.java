package dev.gatun.nn;

/** Which pages of a cache are in use, and by how many sequences each. */
final class PagePool {
  private final int[] references;
  private final int[] free;
  private int freeCount;

  PagePool(int pages) {
    references = new int[pages];
    free = new int[pages];
    // The lowest page is taken first.
    for (int i = 0; i < pages; i++) {
      free[i] = pages - 1 - i;
    }
    freeCount = pages;
  }

  int pages() {
    return references.length;
  }

  int freePages() {
    return freeCount;
  }

  /** A page that nobody has, for one sequence from now on. */
  int take() {
    int page = free[--freeCount];
    references[page] = 1;
    return page;
  }

  /** One more sequence has the page. */
  void share(int page) {
    references[page]++;
  }

  /** One sequence less has the page; the last one gives it back. */
  void release(int page) {
    if (--references[page] == 0) {
      free[freeCount++] = page;
    }
  }

  /** How many sequences have the page. */
  int references(int page) {
    return references[page];
  }
}
