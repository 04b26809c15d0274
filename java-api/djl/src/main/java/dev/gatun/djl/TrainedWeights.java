package dev.gatun.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.ParameterList;
import dev.gatun.nn.Parameter;
import java.util.ArrayList;
import java.util.List;

/** The parameters of a model to train, and DJL's arrays over their memory. */
final class TrainedWeights {
  private final List<Parameter> own;
  private final List<ai.djl.nn.Parameter> theirs = new ArrayList<>();
  private final int[] versions;

  TrainedWeights(List<Parameter> own, ParameterList theirs) {
    this.own = own;
    theirs.forEach(pair -> this.theirs.add(pair.getValue()));
    this.versions = new int[own.size()];
  }

  private GatunNDArray array(int i) {
    return (GatunNDArray) theirs.get(i).getArray();
  }

  /** Tells the model which of its weights a program wrote to since the last pass. */
  synchronized void refresh() {
    for (int i = 0; i < versions.length; i++) {
      int version = array(i).data().store().version();
      if (version != versions[i]) {
        versions[i] = version;
        own.get(i).changed();
      }
    }
  }

  /** Whether gradients of any are collected. */
  boolean areFollowed() {
    for (int i = 0; i < versions.length; i++) {
      if (Tape.follows(array(i))) {
        return true;
      }
    }
    return false;
  }

  /** A pass whose gradients are collected. */
  NDList record(GatunNDManager target, ModelBody body, BlockInputs inputs, boolean dropout) {
    List<Parameter> followed = new ArrayList<>();
    List<GatunNDArray> arrays = new ArrayList<>();
    for (int i = 0; i < versions.length; i++) {
      if (Tape.follows(array(i))) {
        followed.add(own.get(i));
        arrays.add(array(i));
      }
    }
    return ModelStep.run(
        target, body, inputs, dropout, followed, arrays.toArray(GatunNDArray[]::new));
  }
}
