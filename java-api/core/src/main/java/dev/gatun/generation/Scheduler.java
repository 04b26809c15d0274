package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import dev.gatun.generation.StepModel.Work;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.KvCacheFullException;
import dev.gatun.nn.KvSequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Decides what each step of the model computes (continuous batching; Yu et al., Orca, 2022). Every
 * sequence that has begun gets its token in every step; what is left of a step is shared by
 * prompts, in turns of chunks, so that a long one holds up neither those nor short ones. Requests
 * begin in the order in which they came. Where the cache is full, kept prefixes go first, then the
 * youngest request waits and is computed again later. Used by the engine's thread.
 */
final class Scheduler {
  /** A task with its place in the order of arrival. */
  private record Queued(long arrival, Task task) {}

  private final StepModel model;
  private final KvCache cache;
  private final DraftModel draft;
  private final Payoff payoff = new Payoff();
  private final int maxSequences;
  private final int stepTokens;
  private final int chunkTokens;
  private final TreeSet<Queued> waiting = new TreeSet<>(Comparator.comparingLong(Queued::arrival));
  private final TreeSet<Queued> running = new TreeSet<>(Comparator.comparingLong(Queued::arrival));
  private long arrivals;
  private long turn;

  /**
   * Nothing to do yet.
   *
   * @param draft guesses next tokens; null for none
   * @param maxSequences that are computed at once
   * @param stepTokens the tokens that prompts may fill a step to
   * @param chunkTokens of a prompt's turn
   */
  Scheduler(StepModel model, DraftModel draft, int maxSequences, int stepTokens, int chunkTokens) {
    this.model = model;
    this.draft = draft;
    this.cache = model.cache();
    this.maxSequences = maxSequences;
    this.stepTokens = stepTokens;
    this.chunkTokens = chunkTokens;
  }

  /** Takes a request. */
  void submit(Request request) {
    if (request.config().numBeams() > 1) {
      waiting.add(new Queued(arrivals++, new BeamTask(request)));
      return;
    }
    Task first = null;
    for (int i = 0; i < request.config().numReturnSequences(); i++) {
      Task task = new SequenceTask(request, i, first, drafter(request.config()));
      first = first == null ? task : first;
      waiting.add(new Queued(arrivals++, task));
    }
  }

  private Drafter drafter(GenerationConfig config) {
    if (config.promptLookupNumTokens() > 0) {
      return new PromptLookup(config.promptLookupNumTokens());
    }
    return draft == null ? null : draft.open();
  }

  boolean isIdle() {
    return waiting.isEmpty() && running.isEmpty();
  }

  /** Runs a step of the model, and goes on with what it gave. */
  void step() {
    dropCancelled();
    admit();
    long start = System.nanoTime();
    Map<Queued, List<Work>> plan = plan();
    List<Work> works = plan.values().stream().flatMap(List::stream).toList();
    if (works.isEmpty()) {
      return;
    }
    List<List<Next>> next;
    try {
      prepare(plan);
      next = model.step(works);
    } catch (RuntimeException | OutOfMemoryError e) {
      RuntimeException told =
          e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
      plan.keySet().forEach(queued -> fail(queued.task.request(), told));
      return;
    }
    long nanos = System.nanoTime() - start;
    long before = generated(works);
    int at = 0;
    for (Map.Entry<Queued, List<Work>> entry : plan.entrySet()) {
      int count = entry.getValue().size();
      advance(entry.getKey(), next.subList(at, at + count));
      at += count;
    }
    judge(works, nanos, before);
  }

  private static void prepare(Map<Queued, List<Work>> plan) {
    plan.forEach(
        (queued, works) -> {
          if (works.stream().allMatch(work -> work.wanted() > 0)) {
            queued.task.prepare();
          }
        });
  }

  /** The time of a step of nothing but decoding says whether guesses pay. */
  private void judge(List<Work> works, long nanos, long before) {
    long tokens = generated(works) - before;
    if (tokens <= 0 || works.stream().anyMatch(work -> work.to() - work.from() > 1)) {
      return;
    }
    if (works.stream().allMatch(work -> work.drafts().isEmpty())) {
      payoff.plain(nanos, (int) tokens);
    } else {
      payoff.guessed(nanos, (int) tokens);
    }
  }

  private static long generated(List<Work> works) {
    return works.stream().mapToLong(work -> work.history().generated()).sum();
  }

  private void advance(Queued queued, List<List<Next>> next) {
    Task task = queued.task;
    task.slots().stream()
        .filter(slot -> slot.cached() != null)
        .forEach(slot -> task.request().stream().setPromptTokensDone(slot.cached().length()));
    if (task.request().source() == null) {
      task.slots().forEach(Scheduler::remember);
    }
    if (!running.contains(queued) || !task.slots().stream().allMatch(s -> s.pending() <= 0)) {
      return;
    }
    try {
      task.request().speculationOff(payoff.reason());
      if (task.advance(next)) {
        running.remove(queued);
        keep(task);
      }
    } catch (RuntimeException e) {
      fail(task.request(), e);
    }
  }

  /** Lets others find the pages that a sequence has filled, and its prompt's last one. */
  private static void remember(Slot slot) {
    KvSequence cached = slot.cached();
    boolean prompt = slot.history().generated() == 0 && slot.pending() == 0;
    if (cached != null && (prompt || cached.hasUnknownPages())) {
      cached.remember(slot.history().toArray());
    }
  }

  private void dropCancelled() {
    for (TreeSet<Queued> some : List.of(running, waiting)) {
      for (Queued queued : List.copyOf(some)) {
        if (queued.task.request().stream().isCancelled()) {
          some.remove(queued);
          queued.task.end(FinishReason.CANCELLED);
          keep(queued.task);
        }
      }
    }
  }

  private void admit() {
    encodeTogether();
    for (Queued queued : List.copyOf(waiting)) {
      Task task = queued.task;
      int width = running.stream().mapToInt(r -> r.task.width()).sum() + task.width();
      if (width > maxSequences && !running.isEmpty()) {
        return;
      }
      if (!waitsForFirst(task)) {
        if (!encoded(task.request())) {
          return;
        }
        if (!waiting.contains(queued)) {
          continue;
        }
        Slot slot = task.slots().getFirst();
        KvSequence sequence = begin(task, slot);
        int count = slot.history().length() - sequence.length();
        int needed = cache.pagesNeeded(List.of(sequence), count) + running.size();
        if (cache.freePages() < needed && !running.isEmpty()) {
          sequence.close();
          return;
        }
        slot.open(sequence);
        if (slot.history().generated() == 0) {
          task.request().cached(sequence.length());
        }
        waiting.remove(queued);
        running.add(queued);
      }
    }
  }

  /**
   * Has the sources of requests that may begin now encoded, as many at once as is worth it. Where
   * that fails each is encoded by itself, which tells whose fault it is and who has to wait.
   */
  private void encodeTogether() {
    if (model.encoder() == null) {
      return;
    }
    int width = running.stream().mapToInt(r -> r.task.width()).sum();
    List<Request> some = new ArrayList<>();
    int tokens = 0;
    for (Queued queued : waiting) {
      Request request = queued.task.request();
      width += queued.task.width();
      boolean isFirst = running.isEmpty() && some.isEmpty();
      if (width > maxSequences && !isFirst) {
        break;
      }
      if (request.encoded() != null || some.contains(request)) {
        continue;
      }
      if (tokens + request.source().length > model.encoder().batchTokens()) {
        encode(some);
        some.clear();
        tokens = 0;
      }
      some.add(request);
      tokens += request.source().length;
    }
    encode(some);
  }

  private void encode(List<Request> some) {
    if (some.size() < 2) {
      return;
    }
    try {
      List<KvSequence> encoded =
          model.encoder().encode(some.stream().map(Request::source).toList());
      for (int i = 0; i < some.size(); i++) {
        some.get(i).encoded(encoded.get(i));
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      // They are tried alone.
    }
  }

  /**
   * Has a request's source encoded, once for all its sequences. One that fails ends.
   *
   * @return false where that is to be tried again when others have ended
   */
  private boolean encoded(Request request) {
    if (request.source() == null || request.encoded() != null) {
      return true;
    }
    try {
      request.encoded(model.encoder().encode(List.of(request.source())).getFirst());
    } catch (KvCacheFullException e) {
      if (!running.isEmpty()) {
        return false;
      }
      fail(request, e);
    } catch (RuntimeException e) {
      fail(request, e);
    } catch (OutOfMemoryError e) {
      fail(request, new IllegalStateException(e));
    }
    return true;
  }

  /** Whether another sequence of the request is computing the prompt. */
  private boolean waitsForFirst(Task task) {
    return task.first() != null
        && running.stream().anyMatch(r -> r.task == task.first())
        && task.first().slots().getFirst().history().generated() == 0;
  }

  /** A sequence with what the cache has of the tokens before the last, whose logits are wanted. */
  private KvSequence begin(Task task, Slot slot) {
    if (task.request().source() != null) {
      // What the cache has of equal tokens is of other sources.
      return cache.open();
    }
    int[] ids = slot.history().toArray();
    return cache.open(ids, ids.length - 1);
  }

  private Map<Queued, List<Work>> plan() {
    Map<Queued, List<Work>> plan = new LinkedHashMap<>();
    Map<Queued, Slot> prompts = new LinkedHashMap<>();
    int left = stepTokens;
    for (Queued queued : running) {
      Slot slot = unfinished(queued.task);
      if (slot == null) {
        List<Work> works = next(queued.task);
        plan.put(queued, works);
        left -= works.stream().mapToInt(Work::count).sum();
      } else {
        prompts.put(queued, slot);
      }
    }
    share(prompts, Math.max(left, chunkTokens))
        .forEach(
            (queued, count) ->
                plan.put(queued, List.of(work(queued.task, prompts.get(queued), count))));
    fit(plan);
    return plan;
  }

  /** The first sequence of a task that lacks more than a token, or is not in the cache. */
  private Slot unfinished(Task task) {
    for (Slot slot : task.slots()) {
      if (slot.cached() != null && !slot.cached().canBecome(slot.history().length())) {
        close(task, slot);
      }
      if (slot.cached() == null) {
        slot.open(begin(task, slot));
      }
      if (slot.pending() > 1) {
        return slot;
      }
    }
    return null;
  }

  private static Work work(Task task, Slot slot, int count) {
    int from = slot.cached().length();
    return work(task, slot, from + count, List.of());
  }

  private static Work work(Task task, Slot slot, int to, List<Integer> guesses) {
    List<Draw> draws = new ArrayList<>();
    for (int i = 0; i <= guesses.size() && draws != null; i++) {
      Draw draw = task.draw(slot, slot.history().length() + i);
      if (draw == null) {
        draws = null;
      } else {
        draws.add(draw);
      }
    }
    return new Work(
        slot.cached(),
        slot.history(),
        slot.cached().length(),
        to,
        guesses,
        draws,
        task.request().encoded());
  }

  /** A token of each sequence, with guesses at those that follow where these pay. */
  private List<Work> next(Task task) {
    List<Integer> guesses = payoff.isWanted() ? task.guesses() : List.of();
    return task.slots().stream()
        .map(slot -> work(task, slot, slot.history().length(), fitting(slot, guesses)))
        .toList();
  }

  /** As many guesses as a sequence may have without being computed again. */
  private static List<Integer> fitting(Slot slot, List<Integer> guesses) {
    int count = guesses.size();
    while (count > 0 && !slot.cached().canBecome(slot.history().length() + count)) {
      count--;
    }
    return guesses.subList(0, count);
  }

  /** How many tokens of each prompt a step has: chunks in turns until the room is used. */
  private Map<Queued, Integer> share(Map<Queued, Slot> prompts, int room) {
    Map<Queued, Integer> shares = new LinkedHashMap<>();
    List<Queued> order = new ArrayList<>(prompts.keySet());
    if (order.isEmpty()) {
      return shares;
    }
    // The one that begins is another one each time.
    Collections.rotate(order, (int) -(turn++ % order.size()));
    int left = room;
    boolean more = true;
    while (left > 0 && more) {
      more = false;
      for (Queued queued : order) {
        Slot slot = prompts.get(queued);
        // Beams go on together: the last token of each waits for the others.
        int most = slot.pending() - (queued.task.slots().size() > 1 ? 1 : 0);
        int given = shares.getOrDefault(queued, 0);
        int count = Math.min(Math.min(chunkTokens, most - given), left);
        if (count > 0) {
          shares.put(queued, given + count);
          left -= count;
          more = true;
        }
      }
    }
    return shares;
  }

  /** Makes room in the cache for a plan, or takes out what there is none for. */
  private void fit(Map<Queued, List<Work>> plan) {
    while (!plan.isEmpty()) {
      List<Work> works = plan.values().stream().flatMap(List::stream).toList();
      List<KvSequence> sequences = works.stream().map(Work::sequence).toList();
      int[] counts = works.stream().mapToInt(Work::count).toArray();
      int needed = cache.pagesNeeded(sequences, counts);
      if (needed <= cache.freePages()) {
        return;
      }
      if (dropGuesses(plan)) {
        continue;
      }
      Queued youngest = running.last();
      plan.remove(youngest);
      if (running.size() > 1) {
        preempt(youngest);
      } else {
        fail(youngest.task.request(), tooSmall(youngest.task, needed));
      }
    }
  }

  /** Takes guesses out of a plan; false where there are none. */
  private static boolean dropGuesses(Map<Queued, List<Work>> plan) {
    boolean dropped = false;
    for (Map.Entry<Queued, List<Work>> entry : plan.entrySet()) {
      if (entry.getValue().stream().anyMatch(work -> !work.drafts().isEmpty())) {
        entry.setValue(entry.getValue().stream().map(Work::withoutDrafts).toList());
        dropped = true;
      }
    }
    return dropped;
  }

  private void preempt(Queued queued) {
    running.remove(queued);
    keep(queued.task);
    waiting.add(queued);
  }

  private IllegalStateException tooSmall(Task task, int needed) {
    int length = task.slots().stream().mapToInt(s -> s.history().length()).max().orElse(0);
    long page = cache.shape().tokenBytes() * cache.pageSize();
    return new IllegalStateException(
        ("the cache is too small for this request alone: %d sequences of up to %d tokens need %d"
                + " pages of %d tokens more, %d of %d are free; give the generator a cache of more"
                + " bytes (cacheBytes; a page has %d, all have %d now), or ask for fewer tokens")
            .formatted(
                task.slots().size(),
                length,
                needed,
                cache.pageSize(),
                cache.freePages(),
                cache.pages(),
                page,
                cache.bytes()));
  }

  /** Ends a request with all its sequences. */
  private void fail(Request request, RuntimeException reason) {
    for (TreeSet<Queued> some : List.of(running, waiting)) {
      for (Queued queued : List.copyOf(some)) {
        if (queued.task.request() == request) {
          some.remove(queued);
          discard(queued.task);
        }
      }
    }
    request.release();
    request.stream().fail(reason);
  }

  /** Ends all requests. */
  void failAll(RuntimeException reason) {
    while (!isIdle()) {
      fail((running.isEmpty() ? waiting : running).first().task.request(), reason);
    }
  }

  private static void discard(Task task) {
    task.close();
    for (Slot slot : task.slots()) {
      KvSequence cached = slot.release();
      if (cached != null) {
        cached.close();
      }
    }
  }

  /** Gives up the cache of a task; its pages are found by whoever begins alike. */
  private void keep(Task task) {
    task.close();
    task.slots().forEach(slot -> close(task, slot));
  }

  private static void close(Task task, Slot slot) {
    KvSequence cached = slot.release();
    if (cached != null) {
      if (task.request().source() == null) {
        cached.remember(slot.history().toArray());
      }
      cached.close();
    }
  }
}
