package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whoever waits for a model is told how far it is, up to all of the file. */
final class LoadListenerTest {
  @Test
  void is_told_of_every_weight_once() throws IOException {
    Path model = ModelFiles.GOLDENS.resolve("decoders/llama");
    long all;
    int tensors;
    try (TensorFile file = TensorFile.open(model)) {
      all = file.names().stream().mapToLong(name -> file.get(name).data().byteSize()).sum();
      tensors = file.names().size();
    }
    List<Long> told = new ArrayList<>();
    AutoModel.loadCausalLm(
            model,
            Device.cpu(),
            WeightTypes.of(Storage.F32),
            Compute.EXACT,
            (bytes, of) -> {
              assertEquals(all, of);
              assertTrue(told.isEmpty() || bytes > told.getLast(), "it goes on");
              told.add(bytes);
            })
        .close();
    assertEquals(tensors, told.size());
    assertEquals(all, told.getLast());
  }
}
