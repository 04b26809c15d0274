package dev.gatun.generation;

import dev.gatun.generation.BeamGroup.Beam;
import dev.gatun.generation.StepModel.Next;
import dev.gatun.nn.KvSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A beam search, whose sequences are told when it has ended. */
final class BeamTask implements Task {
  private final Request request;
  private final BeamSearch search;
  private List<Slot> slots;

  BeamTask(Request request) {
    this.request = request;
    TokenHistory prompt = request.prompt();
    search =
        new BeamSearch(
            request.config(),
            this::isStopped,
            prompt,
            request.source(),
            request.maxLength(),
            request.seed());
    slots = List.of(new Slot(prompt, null));
  }

  private boolean isStopped(TokenHistory history) {
    return request.isOverdue() || output(history).stopped().isPresent();
  }

  private TextOutput output(TokenHistory history) {
    List<String> stops = request.config().stopStrings();
    int[] ids = history.from(history.promptLength());
    if (endsText(history)) {
      ids = Arrays.copyOf(ids, ids.length - 1);
    }
    return TextOutput.of(stops.isEmpty() ? null : request.tokenizer(), stops, ids);
  }

  private boolean endsText(TokenHistory history) {
    return request.config().eosTokenId().contains(history.get(history.length() - 1));
  }

  @Override
  public Request request() {
    return request;
  }

  @Override
  public Task first() {
    return null;
  }

  @Override
  public List<Slot> slots() {
    return slots;
  }

  @Override
  public Draw draw(Slot slot, int position) {
    return Draw.NONE;
  }

  @Override
  public int width() {
    return request.config().numBeams();
  }

  @Override
  public boolean advance(List<List<Next>> next) {
    float[][] scores = next.stream().map(each -> each.getFirst().logits()).toArray(float[][]::new);
    float[][] each = scores;
    if (slots.size() < search.running().size()) {
      // Before the first step all groups continue the one prompt.
      each = new float[search.running().size()][];
      Arrays.setAll(each, i -> scores[0].clone());
    }
    search.step(each);
    List<Slot> longer = new ArrayList<>();
    for (Beam beam : search.running()) {
      longer.add(new Slot(beam.history(), fork(beam.parent())));
    }
    slots.forEach(BeamTask::close);
    slots = longer;
    if (!search.isDone()) {
      return false;
    }
    List<Beam> results = search.results();
    for (int i = 0; i < results.size(); i++) {
      tell(i, results.get(i));
    }
    if (results.size() < request.config().numReturnSequences()) {
      request.complete(results.size());
    }
    return true;
  }

  private static List<GeneratedToken> tokens(int... ids) {
    return Arrays.stream(ids).mapToObj(id -> new GeneratedToken(id, Float.NaN, List.of())).toList();
  }

  private KvSequence fork(int parent) {
    return slots.get(slots.size() == 1 ? 0 : parent).cached().fork();
  }

  private static void close(Slot slot) {
    KvSequence cached = slot.release();
    if (cached != null) {
      cached.close();
    }
  }

  private void tell(int index, Beam beam) {
    TokenHistory history = beam.history();
    int[] ids = history.from(history.promptLength());
    List<GeneratedToken> tokens = tokens(ids);
    int[] texts = endsText(history) ? Arrays.copyOf(ids, ids.length - 1) : ids;
    TextOutput output = TextOutput.of(request.tokenizer(), request.config().stopStrings(), texts);
    FinishReason reason =
        endsText(history)
            ? FinishReason.END_OF_TEXT
            : output.stopped().isPresent()
                ? FinishReason.STOP_STRING
                : history.length() >= request.maxLength() ? FinishReason.LENGTH : FinishReason.TIME;
    request.tell(new TextChunk(index, output.text(), tokens));
    request.end(
        index, new Completion(output.text(), tokens, reason, output.stopped(), beam.score()));
  }

  @Override
  public void end(FinishReason reason) {
    // The best beam so far is all there is to give.
    List<Beam> best = new ArrayList<>(search.results());
    best.addAll(search.running());
    TokenHistory history = best.isEmpty() ? request.prompt() : best.getFirst().history();
    int[] ids = history.from(history.promptLength());
    List<GeneratedToken> tokens = tokens(ids);
    TextOutput output = TextOutput.of(request.tokenizer(), List.of(), ids);
    request.end(0, new Completion(output.text(), tokens, reason, Optional.empty(), Float.NaN));
    if (request.config().numReturnSequences() > 1) {
      request.complete(1);
    }
  }
}
