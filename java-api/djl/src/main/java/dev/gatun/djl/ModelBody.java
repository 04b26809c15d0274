package dev.gatun.djl;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.PairList;
import dev.gatun.djl.host.Strided;
import dev.gatun.models.Model;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** What a block computes: one of the library's kinds of models. */
sealed interface ModelBody extends AutoCloseable permits EncoderBody, DecoderBody, Seq2SeqBody {
  /** The names of the inputs, in their order. */
  List<String> inputs();

  /** The names and shapes of the outputs. */
  PairList<String, Shape> outputs();

  /**
   * What a pass gave.
   *
   * @param tensors the caller's to close
   * @param names of each
   */
  record Outputs(List<Tensor> tensors, List<String> names) {}

  /** Runs the model; the outputs belong to the manager. */
  NDList forward(GatunNDManager target, BlockInputs inputs);

  /** Runs the model to train it, as the library's tape of this thread records it. */
  Outputs record(BlockInputs inputs);

  /** The model, which may be loaded only now. */
  Model model();

  @Override
  void close();

  /** Tensors as arrays on the processor, which own their memory now; nothing is left on failure. */
  static NDList handed(GatunNDManager target, Outputs outputs) {
    List<Tensor> tensors = outputs.tensors();
    List<String> names = outputs.names();
    NDList list = new NDList(tensors.size());
    int at = 0;
    try {
      for (; at < tensors.size(); at++) {
        Tensor tensor = tensors.get(at);
        Tensor host = tensor.to(Device.cpu());
        if (host != tensor) {
          tensor.close();
        }
        GatunNDArray array = target.make(Strided.of(host, DataType.FLOAT32));
        array.setName(names.get(at));
        list.add(array);
      }
      return list;
    } catch (RuntimeException | Error e) {
      list.close();
      tensors.subList(at, tensors.size()).forEach(Tensor::close);
      throw e;
    }
  }
}
