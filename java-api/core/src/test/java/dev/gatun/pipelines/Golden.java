package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/** A golden case: its model, its inputs without padding, and what the reference gave. */
final class Golden implements AutoCloseable {
  private final Path folder;
  private final TensorFile file;

  Golden(String name) throws IOException {
    this.folder = Path.of("../../test/goldens", name);
    this.file = TensorFile.open(folder.resolve("expected.safetensors"));
  }

  /** The number of a label. */
  int label(String name) throws IOException {
    var labels =
        new ObjectMapper().readTree(folder.resolve("config.json").toFile()).get("id2label");
    if (labels == null) {
      return Integer.parseInt(name.substring("LABEL_".length()));
    }
    for (var entry : labels.properties()) {
      if (entry.getValue().textValue().equals(name)) {
        return Integer.parseInt(entry.getKey());
      }
    }
    throw new AssertionError("no label " + name);
  }

  Parts parts(Head head, int mask) throws IOException {
    return new Parts(tokenizer(mask), TextModel.of(model(head)));
  }

  EncoderModel model(Head head) throws IOException {
    return AutoModel.load(folder, head, Device.cpu(), Storage.F32, Compute.EXACT);
  }

  GoldenTokenizer tokenizer(int mask) {
    return new GoldenTokenizer(ids(), types(), sequences(), mask);
  }

  /** Which text of a pair a token is of: as types say, else the second from the eighth on. */
  private long[][] sequences() {
    if (file.names().contains("in.token_type_ids")) {
      return types();
    }
    long[][] sequences = types();
    for (long[] row : sequences) {
      Arrays.fill(row, Math.min(7, row.length), row.length, 1);
    }
    return sequences;
  }

  int rows() {
    return (int) file.get("in.input_ids").shape()[0];
  }

  long[][] ids() {
    return unpadded("in.input_ids");
  }

  private long[][] types() {
    if (file.names().contains("in.token_type_ids")) {
      return unpadded("in.token_type_ids");
    }
    return Arrays.stream(ids()).map(row -> new long[row.length]).toArray(long[][]::new);
  }

  /** The rows up to the last token whose mask is 1. */
  private long[][] unpadded(String name) {
    long[][] values = longs(name);
    long[][] mask = file.names().contains("in.attention_mask") ? longs("in.attention_mask") : null;
    for (int row = 0; mask != null && row < values.length; row++) {
      values[row] = Arrays.copyOf(values[row], (int) Arrays.stream(mask[row]).sum());
    }
    return values;
  }

  private long[][] longs(String name) {
    TensorFile.Entry entry = file.get(name);
    int columns = (int) entry.shape()[1];
    long[] all = entry.data().toArray(ValueLayout.JAVA_LONG);
    long[][] rows = new long[(int) entry.shape()[0]][];
    Arrays.setAll(rows, r -> Arrays.copyOfRange(all, r * columns, (r + 1) * columns));
    return rows;
  }

  /** A row of a result: [rows, ...], everything behind the first axis. */
  float[] row(String name, int row) {
    TensorFile.Entry entry = file.get(name);
    float[] all = entry.data().toArray(ValueLayout.JAVA_FLOAT);
    int columns = all.length / (int) entry.shape()[0];
    return Arrays.copyOfRange(all, row * columns, (row + 1) * columns);
  }

  /** A token's part of a result [rows, tokens, columns]. */
  float[] token(String name, int row, int token) {
    int columns = (int) file.get(name).shape()[2];
    return Arrays.copyOfRange(row(name, row), token * columns, (token + 1) * columns);
  }

  /** The name of the last layer's hidden states. */
  String lastHiddenState() {
    int layer = 0;
    while (file.names().contains("out.hidden_states." + (layer + 1))) {
      layer++;
    }
    return "out.hidden_states." + layer;
  }

  @Override
  public void close() {
    file.close();
  }
}
