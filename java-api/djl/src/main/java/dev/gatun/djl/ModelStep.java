package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import dev.gatun.autograd.Gradients;
import dev.gatun.djl.Tape.Backward;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A model's forward pass as a step of a gradient collector. The library's own tape records it; when
 * the gradients of its outputs are there, that tape gives those of the parameters. Each output is a
 * step behind one that stands for the whole pass and so comes last on the way back.
 */
final class ModelStep implements Tape.Rule {
  private final List<Parameter> parameters;
  private final dev.gatun.autograd.Tape tape;
  private final List<Tensor> outputs = new ArrayList<>();
  private final List<Strided> gradients = new ArrayList<>();
  private boolean done;

  private ModelStep(List<Parameter> parameters, dev.gatun.autograd.Tape tape) {
    this.parameters = parameters;
    this.tape = tape;
  }

  /**
   * Runs a model to train it.
   *
   * @param dropout whether random ops draw
   * @param parameters of the model, whose gradients are asked for
   * @param arrays over the memory of each
   */
  static NDList run(
      GatunNDManager target,
      ModelBody body,
      BlockInputs inputs,
      boolean dropout,
      List<Parameter> parameters,
      GatunNDArray... arrays) {
    dev.gatun.autograd.Tape tape =
        dev.gatun.autograd.Tape.record(parameters.stream().map(Parameter::tensor).toList());
    if (dropout) {
      tape.withSeed(Randoms.draw().below(Long.MAX_VALUE));
    }
    ModelStep step = new ModelStep(parameters, tape);
    boolean recorded = false;
    try {
      ModelBody.Outputs given = body.record(inputs);
      // What other steps compute until the way back is not the model's.
      dev.gatun.autograd.Tape.pause();
      given.tensors().forEach(output -> step.outputs.add(output.share()));
      NDList list = ModelBody.handed(target, given);
      try (GatunNDArray pass = target.make(Strided.scalar(0f))) {
        Tape.record(pass, "forward", Keeps.NOTHING, step, arrays);
        recorded = true;
        for (int i = 0; i < list.size(); i++) {
          int output = i;
          step.gradients.add(null);
          Tape.record(
              (GatunNDArray) list.get(i),
              "forward",
              Keeps.NOTHING,
              back -> step.take(output, back),
              pass);
        }
      }
      return list;
    } finally {
      if (!recorded) {
        step.end();
      }
    }
  }

  /** The gradient of an output is there. */
  private void take(int output, Backward back) {
    Strided given = back.gradient().data();
    Strided copy = Strided.allocate(DataType.FLOAT32, given.shape());
    ArrayKernels.host().copy(given, copy);
    drop(output);
    gradients.set(output, copy);
    NDArray none = back.scratch().make(Strided.scalar(0f));
    back.give(0, none);
  }

  private void drop(int output) {
    Strided old = gradients.set(output, null);
    if (old != null) {
      old.store().release();
    }
  }

  @Override
  public void run(Backward step) {
    if (done) {
      throw Refusal.wrong(
          "backward: the gradients of this forward pass were taken before, expected one backward a"
              + " pass of a model of files");
    }
    done = true;
    List<Tensor> some = new ArrayList<>();
    List<Tensor> of = new ArrayList<>();
    for (int i = 0; i < gradients.size(); i++) {
      if (gradients.get(i) != null) {
        some.add(outputs.get(i));
        of.add(gradients.get(i).tensor());
      }
    }
    try (Gradients all = tape.backward(some, of, new Gradients())) {
      for (int i = 0; i < parameters.size(); i++) {
        Tensor gradient = all.of(parameters.get(i).tensor());
        if (gradient != null) {
          step.give(i, step.scratch().make(Strided.of(gradient.share(), DataType.FLOAT32)));
        }
      }
    } finally {
      for (int i = 0; i < gradients.size(); i++) {
        drop(i);
      }
    }
  }

  @Override
  public void end() {
    tape.close();
    outputs.forEach(Tensor::close);
    outputs.clear();
    for (int i = 0; i < gradients.size(); i++) {
      drop(i);
    }
  }
}
