package dev.gatun.test.goldens;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.models.EncoderInputs;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.EncoderOutput;
import dev.gatun.models.Model;
import dev.gatun.models.Seq2SeqInputs;
import dev.gatun.models.Seq2SeqLm;
import dev.gatun.models.Seq2SeqOutput;
import dev.gatun.models.TrainingSettings;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The goldens of every kind of model, loaded to compute and to be trained. */
enum Trainable {
  ENCODER("") {
    @Override
    Model load(Path folder, Device device) throws IOException {
      return AutoModel.load(folder, device, Storage.F32, Compute.EXACT);
    }

    @Override
    Model forTraining(Path source, Device device, TrainingSettings settings) throws IOException {
      return AutoModel.forTraining(source, null, device, settings);
    }
  },
  DECODER("decoders") {
    @Override
    Model load(Path folder, Device device) throws IOException {
      return AutoModel.loadCausalLm(folder, device, Storage.F32, Compute.EXACT);
    }

    @Override
    Model forTraining(Path source, Device device, TrainingSettings settings) throws IOException {
      return AutoModel.causalLmForTraining(source, device, settings);
    }
  },
  ENCODER_DECODER("encoder-decoders") {
    @Override
    Model load(Path folder, Device device) throws IOException {
      return AutoModel.loadSeq2SeqLm(
          folder, device, WeightTypes.of(Storage.F32), Compute.EXACT, null);
    }

    @Override
    Model forTraining(Path source, Device device, TrainingSettings settings) throws IOException {
      return AutoModel.seq2SeqLmForTraining(source, device, settings);
    }
  };

  private static final Path GOLDENS = Path.of("goldens");

  private final String folder;

  Trainable(String folder) {
    this.folder = folder;
  }

  /** Loads a golden to compute. */
  abstract Model load(Path folder, Device device) throws IOException;

  /** Loads a golden to be trained, or makes a new one. */
  abstract Model forTraining(Path source, Device device, TrainingSettings settings)
      throws IOException;

  /** The goldens of this kind whose weights are floats. */
  List<Path> goldens() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDENS.resolve(folder))) {
      return folders
          .filter(f -> Files.exists(f.resolve("config.json")))
          .filter(f -> Files.exists(f.resolve("expected.safetensors")))
          .filter(f -> !isQuantized(f))
          .sorted()
          .toList();
    }
  }

  private static boolean isQuantized(Path golden) {
    try {
      return Files.readString(golden.resolve("config.json")).contains("\"quantization_config\"");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An output of a model. */
  record Output(long[] shape, float... values) {
    static Output of(Tensor tensor) {
      return new Output(tensor.shape(), tensor.toFloatArray());
    }
  }

  /** All scores that a model gives for a golden's inputs, one after another. */
  static float[] scores(Model model, TensorFile expected) {
    return outputs(model, expected).stream()
        .map(Output::values)
        .reduce(new float[0], Trainable::joined);
  }

  /** What a model gives for a golden's inputs. */
  static List<Output> outputs(Model model, TensorFile expected) {
    List<Tensor> all = new ArrayList<>();
    long[][] ids = Goldens.longs(expected, "in.input_ids");
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    try (AutoCloseable _ =
        switch (model) {
          case EncoderModel encoder -> {
            EncoderOutput output =
                encoder.forward(
                    EncoderInputs.of(ids, mask, Goldens.longs(expected, "in.token_type_ids")));
            all.add(output.lastHiddenState());
            all.add(output.logits());
            all.add(output.startLogits());
            all.add(output.seqRelationshipLogits());
            yield output;
          }
          case CausalLm decoder -> {
            CausalLmOutput output =
                decoder.forward(new CausalLmInputs(ids, mask, null, false, false));
            all.add(output.logits());
            yield output;
          }
          case Seq2SeqLm both -> {
            Seq2SeqOutput output =
                both.forward(
                    Seq2SeqInputs.ofLabels(ids, mask, Goldens.longs(expected, "in.labels")));
            all.add(output.logits());
            yield output;
          }
        }) {
      return all.stream().filter(tensor -> tensor != null).map(Output::of).toList();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** The loss of a golden, its routers' losses included where it has them. */
  static Tensor loss(Model model, TensorFile expected) {
    long[][] ids = Goldens.longs(expected, "in.input_ids");
    long[][] mask = Goldens.longs(expected, "in.attention_mask");
    boolean routers = expected.names().contains("out.encoder_router_logits.0");
    return switch (model) {
      case EncoderModel encoder -> encoder.loss(Goldens.inputs(expected), null);
      case CausalLm decoder ->
          decoder.loss(
              new CausalLmInputs(
                  ids,
                  mask,
                  Goldens.longs(expected, "in.labels"),
                  false,
                  false,
                  expected.names().contains("out.router_logits.0")),
              null);
      case Seq2SeqLm both ->
          both.loss(
              new Seq2SeqInputs(
                  ids,
                  mask,
                  null,
                  null,
                  Goldens.longs(expected, "in.labels"),
                  false,
                  false,
                  routers),
              null);
    };
  }

  private static float[] joined(float[] a, float[] b) {
    float[] all = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }
}
