package dev.gatun.models;

import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/**
 * An encoder-decoder that reads texts, as BART's heads have it (Lewis et al., arXiv 1910.13461,
 * 3.1): the encoder has a text's tokens and the decoder the same a place further, so that its state
 * of a token has seen all of the text, and the tokens before that one twice.
 */
final class BothStacks implements Encoder {
  private static final String FURTHER = "decoder_input_ids";
  private static final String ENDS = "last tokens of eos_token_id";

  private final EncoderDecoder model;
  private final HeadLayer head;
  private final int eosId;

  /**
   * @param model whose scores of the vocabulary nobody asks for
   * @param head on the decoder's states
   */
  BothStacks(Config config, EncoderDecoder model, HeadLayer head) {
    this.model = model;
    this.head = head;
    this.eosId = eosId(config);
  }

  private static int eosId(Config config) {
    return config.integer("eos_token_id", 2);
  }

  /** A head on each text's state at its last token that ends a text. */
  static Heads.Pool lastEnd(Config config) {
    int eosId = eosId(config);
    return (hidden, batch) -> Indexing.indexSelect(hidden, 0, ends(batch, eosId));
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor encoded = model.encoder().forward(batch, trace);
    Source source = new Source.Whole(encoded, batch.segments(), batch.paddingBias());
    Tensor hidden = model.decoder().forward(batch.toDecode(further(batch), source), trace);
    trace.end(encoded);
    return hidden;
  }

  @Override
  public void prepare(TokenBatch batch) {
    model.encoder().prepare(batch);
    further(batch);
    if (head.scoresSequences()) {
      ends(batch, eosId);
    }
  }

  /** What the decoder has for each token. */
  private Ids further(TokenBatch batch) {
    return batch.derived(
        FURTHER, batch.tokens(), model.decoder().limits().vocabulary(), this::further);
  }

  private long[] further(BatchLayout layout) {
    long[] ids = new long[layout.tokens()];
    int first = 0;
    for (int count : layout.lengths()) {
      if (count > 0) {
        long[] row = new long[count];
        System.arraycopy(layout.ids(), first, row, 0, count);
        System.arraycopy(model.shifted(new long[][] {row})[0], 0, ids, first, count);
      }
      first += count;
    }
    return ids;
  }

  private static Ids ends(TokenBatch batch, int eosId) {
    return batch.derived(ENDS, batch.sequences(), batch.tokens(), layout -> ends(layout, eosId));
  }

  private static long[] ends(BatchLayout layout, int eosId) {
    long[] ends = new long[layout.sequences()];
    int first = 0;
    for (int s = 0; s < ends.length; s++) {
      int at = first + layout.lengths()[s] - 1;
      while (at >= first && layout.ids()[at] != eosId) {
        at--;
      }
      if (at < first) {
        throw new IllegalArgumentException(
            ("input_ids has no %d, the eos_token_id, in sequence %d: the state of the last one is"
                    + " what the head scores")
                .formatted(eosId, s));
      }
      ends[s] = at;
      first += layout.lengths()[s];
    }
    return ends;
  }

  @Override
  public long[] positions(BatchLayout layout) {
    return model.encoder().positions(layout);
  }

  @Override
  public boolean readsDistances() {
    return model.encoder().readsDistances();
  }

  /** The decoder's tokens see all before them, padding too. */
  @Override
  public boolean readsPadding() {
    return true;
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return model.isOtherHead(name);
  }

  @Override
  public Limits limits() {
    return model.encoder().limits();
  }
}
