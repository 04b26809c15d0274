package dev.gatun.generation;

import dev.gatun.generation.StepModel.Next;
import dev.gatun.generation.constraint.TokenAutomaton;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One sequence, whose tokens are told as they come. */
final class SequenceTask implements Task {
  private final Request request;
  private final Task first;
  private final int index;
  private final ConstrainedOutput constrained;
  private final ForcedText forced;
  private final Sampler sampler;
  private final TextOutput output;
  private final Slot slot;
  private final Drafter drafter;
  private List<Integer> guesses = List.of();
  private final List<GeneratedToken> tokens = new ArrayList<>();

  /**
   * A sequence of a request.
   *
   * @param index which one of its sequences
   * @param first the task of its first one; null for that itself
   * @param drafter guesses its next tokens; null for no guesses
   */
  SequenceTask(Request request, int index, Task first, Drafter drafter) {
    this.drafter = drafter;
    this.request = request;
    this.index = index;
    this.first = first;
    TokenAutomaton constraint = request.constraint();
    this.constrained =
        constraint == null ? null : new ConstrainedOutput(constraint, request.config());
    // Log-probabilities are of tokens that the model was asked for.
    this.forced =
        constraint == null || request.config().logprobs().isPresent()
            ? null
            : new ForcedText(constraint, request.tokenizer());
    this.sampler =
        new Sampler(request.config(), request.maxLength(), request.source(), constrained);
    this.output = new TextOutput(request.tokenizer(), request.config().stopStrings());
    this.slot = new Slot(new TokenHistory(request.prompt().toArray()), null);
  }

  @Override
  public Request request() {
    return request;
  }

  @Override
  public Task first() {
    return first;
  }

  @Override
  public List<Slot> slots() {
    return List.of(slot);
  }

  @Override
  public int width() {
    return 1;
  }

  @Override
  public Draw draw(Slot of, int position) {
    return sampler.draw(request.seed(), position, index);
  }

  @Override
  public List<Integer> guesses() {
    int most = Math.min(Drafter.MOST, request.maxLength() - slot.history().length() - 1);
    guesses = drafter == null || most < 1 ? List.of() : drafter.propose(slot.history(), most);
    return guesses;
  }

  @Override
  public void prepare() {
    if (constrained != null) {
      constrained.prepare(slot.history());
    }
  }

  @Override
  public boolean advance(List<List<Next>> next) {
    List<Next> all = next.getFirst();
    boolean ended = false;
    int[] forcedIds = {};
    int taken = 0;
    for (int i = 0; i < all.size() && !ended; i++) {
      ended = advance(all.get(i));
      forcedIds = ended ? forcedIds : forcedIds();
      // What follows a guess counts if the guess was right, and nothing is put between them.
      if (i == guesses.size()
          || guesses.get(i) != slot.history().get(slot.history().length() - 1)
          || forcedIds.length > 0) {
        break;
      }
      taken += i < all.size() - 1 ? 1 : 0;
    }
    request.guessed(all.size() - 1, taken);
    slot.cut();
    return ended || forcedIds.length > 0 && force(forcedIds);
  }

  @Override
  public void close() {
    if (drafter != null) {
      drafter.close();
    }
  }

  private boolean advance(Next next) {
    TokenHistory history = slot.history();
    Sampler.Choice choice =
        next.id() >= 0
            ? new Sampler.Choice(next.id(), Float.NaN, List.of())
            : sampler.next(next.logits(), history, request.seed(), index);
    return take(choice) || constrained != null && endsComplete();
  }

  /** The tokens that must follow. */
  private int[] forcedIds() {
    return forced == null
        ? new int[0]
        : forced.next(constrained.at(slot.history()), slot.history());
  }

  /** Adds what must follow; the model reads it together with the last token. */
  private boolean force(int... ids) {
    boolean ended = false;
    for (int id : ids) {
      ended = ended || take(new Sampler.Choice(id, Float.NaN, List.of()));
    }
    return ended || endsComplete();
  }

  /** Ends a text that nothing may follow: the end of text is not waited for. */
  private boolean endsComplete() {
    if (!constrained.isOver(slot.history())) {
      return false;
    }
    List<Integer> endOfText = request.config().eosTokenId();
    if (!endOfText.isEmpty() && request.config().logprobs().isEmpty()) {
      return take(new Sampler.Choice(endOfText.getFirst(), Float.NaN, List.of()));
    }
    if (endOfText.isEmpty()) {
      end(FinishReason.END_OF_TEXT);
    }
    return endOfText.isEmpty();
  }

  /** Adds a token; gives whether the sequence has ended. */
  private boolean take(Sampler.Choice choice) {
    TokenHistory history = slot.history();
    history.add(choice.id());
    GeneratedToken token = new GeneratedToken(choice.id(), choice.logprob(), choice.top());
    tokens.add(token);
    boolean ends = request.config().eosTokenId().contains(choice.id());
    String text = ends ? "" : output.add(choice.id());
    FinishReason reason = null;
    if (ends) {
      reason = FinishReason.END_OF_TEXT;
    } else if (output.stopped().isPresent()) {
      reason = FinishReason.STOP_STRING;
    } else if (history.length() >= request.maxLength()) {
      reason = FinishReason.LENGTH;
    } else if (request.isOverdue()) {
      reason = FinishReason.TIME;
    }
    if (reason == null) {
      request.tell(new TextChunk(index, text, List.of(token)));
      return false;
    }
    text += output.finish();
    request.tell(new TextChunk(index, text, List.of(token)));
    complete(output.stopped().isPresent() ? FinishReason.STOP_STRING : reason);
    return true;
  }

  @Override
  public void end(FinishReason reason) {
    String text = output.finish();
    if (!text.isEmpty()) {
      request.tell(new TextChunk(index, text, List.of()));
    }
    complete(reason);
  }

  private void complete(FinishReason reason) {
    Optional<String> stop = output.stopped();
    request.end(index, new Completion(output.text(), tokens, reason, stop, Float.NaN));
  }
}
