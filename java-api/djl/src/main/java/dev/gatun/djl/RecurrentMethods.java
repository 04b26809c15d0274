package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.recurrent.RNN;
import dev.gatun.djl.host.Refusal;

/**
 * Recurrent layers by PyTorch's formulas and in its order of weights: of each layer and direction
 * the input's, the state's, and the biases of both.
 */
interface RecurrentMethods extends NetworkMethods {
  /** A step of a cell. */
  interface Cell {
    /**
     * {@return the new states}
     *
     * @param input what is made of a place's input by its weight, [batch, gates * state]
     * @param states of the place before, [batch, state] each
     * @param weight of the state, [gates * state, state]
     * @param bias of the state, or null
     */
    NDArray[] step(NDArray input, NDArray[] states, NDArray weight, NDArray bias);
  }

  /** What is the same for all cells. */
  record Layers(
      boolean hasBiases,
      int count,
      double dropRate,
      boolean training,
      boolean bidirectional,
      boolean batchFirst) {
    int directions() {
      return bidirectional ? 2 : 1;
    }
  }

  private static NDArray projected(NDArray x, NDArray weight, NDArray bias) {
    NDArray product = x.matMul(weight.transpose());
    return bias == null ? product : product.add(bias);
  }

  /** The outputs of all places, then the last states. */
  private NDList recurrent(
      String op, NDArray input, NDList states, NDList params, Layers layers, Cell cell) {
    int each = layers.hasBiases ? 4 : 2;
    int cells = layers.count * layers.directions();
    if (input.getShape().dimension() != 3
        || params.size() != each * cells
        || states.get(0).size(0) != cells) {
      throw Refusal.wrong(
          "%s: the array has shape %s, the state %s, with %d weights; expected [length, batch,"
              + " features], [%d, batch, state] and %d",
          op, input.getShape(), states.get(0).getShape(), params.size(), cells, each * cells);
    }
    GatunNDManager manager = x().getManager();
    try (GatunNDManager scratch = manager.newSubManager(manager.getDevice())) {
      NDArray x = NetworkMethods.in(scratch, input);
      x = layers.batchFirst ? x.swapAxes(0, 1) : x;
      NDList[] last = new NDList[states.size()];
      for (int i = 0; i < last.length; i++) {
        last[i] = new NDList();
      }
      for (int layer = 0; layer < layers.count; layer++) {
        NDList outputs = new NDList();
        for (int direction = 0; direction < layers.directions(); direction++) {
          int at = layer * layers.directions() + direction;
          NDArray[] weights = new NDArray[4];
          for (int i = 0; i < each; i++) {
            weights[i] = NetworkMethods.in(scratch, params.get(place(params, layers, at, i)));
          }
          NDArray[] state = new NDArray[states.size()];
          for (int i = 0; i < state.length; i++) {
            state[i] = NetworkMethods.in(scratch, states.get(i)).get(at);
          }
          outputs.add(run(x, state, weights, direction == 1, cell));
          for (int i = 0; i < state.length; i++) {
            last[i].add(state[i]);
          }
        }
        x = joined(outputs, 2);
        if (layers.training && layers.dropRate > 0 && layer < layers.count - 1) {
          x = x.getNDArrayInternal().dropout(x, (float) layers.dropRate, true).get(0);
        }
      }
      NDList results = new NDList(layers.batchFirst ? x.swapAxes(0, 1) : x);
      for (NDList state : last) {
        results.add(stacked(state));
      }
      results.attach(manager);
      return results;
    }
  }

  /**
   * Where a weight of a layer's direction stands. DJL's blocks of two directions have the biases of
   * a layer behind all its weights.
   *
   * @param at layer and direction
   * @param i 0 and 1 the weights, 2 and 3 the biases
   */
  private static int place(NDList params, Layers layers, int at, int i) {
    int each = layers.hasBiases ? 4 : 2;
    int layer = at / layers.directions() * layers.directions() * each;
    boolean biasesLast =
        layers.hasBiases
            && layers.bidirectional
            && params.get(layer + 2).getShape().dimension() == 2;
    int direction = at % layers.directions();
    return biasesLast ? layer + i / 2 * 4 + direction * 2 + i % 2 : at * each + i;
  }

  /** One direction of one layer; the states become the last ones. */
  private static NDArray run(
      NDArray x, NDArray[] state, NDArray[] weights, boolean backwards, Cell cell) {
    NDArray all = projected(x, weights[0], weights[2]);
    int length = Math.toIntExact(x.size(0));
    NDArray[] outputs = new NDArray[length];
    for (int i = 0; i < length; i++) {
      int place = backwards ? length - 1 - i : i;
      NDArray[] next = cell.step(all.get(place), state, weights[1], weights[3]);
      System.arraycopy(next, 0, state, 0, state.length);
      outputs[place] = next[0];
    }
    return stacked(new NDList(outputs));
  }

  private static NDArray stacked(NDList arrays) {
    NDList rest = new NDList(arrays.subList(1, arrays.size()));
    return arrays.get(0).getNDArrayInternal().stack(rest, 0);
  }

  private static NDArray joined(NDList arrays, int axis) {
    NDList rest = new NDList(arrays.subList(1, arrays.size()));
    return rest.isEmpty() ? arrays.get(0) : arrays.get(0).getNDArrayInternal().concat(rest, axis);
  }

  @Override
  default NDList rnn(
      NDArray input,
      NDArray state,
      NDList params,
      boolean hasBiases,
      int numLayers,
      RNN.Activation activation,
      double dropRate,
      boolean training,
      boolean bidirectional,
      boolean batchFirst) {
    Layers layers = new Layers(hasBiases, numLayers, dropRate, training, bidirectional, batchFirst);
    return recurrent(
        "rnn",
        input,
        new NDList(state),
        params,
        layers,
        (x, states, weight, bias) -> {
          NDArray sum = x.add(projected(states[0], weight, bias));
          boolean relu = activation == RNN.Activation.RELU;
          return new NDArray[] {relu ? sum.getNDArrayInternal().relu() : sum.tanh()};
        });
  }

  @Override
  default NDList gru(
      NDArray input,
      NDArray state,
      NDList params,
      boolean hasBiases,
      int numLayers,
      double dropRate,
      boolean training,
      boolean bidirectional,
      boolean batchFirst) {
    Layers layers = new Layers(hasBiases, numLayers, dropRate, training, bidirectional, batchFirst);
    return recurrent(
        "gru",
        input,
        new NDList(state),
        params,
        layers,
        (x, states, weight, bias) -> {
          NDList given = x.split(3, 1);
          NDList kept = projected(states[0], weight, bias).split(3, 1);
          NDArray reset = given.get(0).add(kept.get(0)).getNDArrayInternal().sigmoid();
          NDArray update = given.get(1).add(kept.get(1)).getNDArrayInternal().sigmoid();
          NDArray fresh = given.get(2).add(reset.mul(kept.get(2))).tanh();
          return new NDArray[] {fresh.add(update.mul(states[0].sub(fresh)))};
        });
  }

  @Override
  default NDList lstm(
      NDArray input,
      NDList states,
      NDList params,
      boolean hasBiases,
      int numLayers,
      double dropRate,
      boolean training,
      boolean bidirectional,
      boolean batchFirst) {
    Layers layers = new Layers(hasBiases, numLayers, dropRate, training, bidirectional, batchFirst);
    return recurrent(
        "lstm",
        input,
        states,
        params,
        layers,
        (x, before, weight, bias) -> {
          NDList gates = x.add(projected(before[0], weight, bias)).split(4, 1);
          NDArray enter = gates.get(0).getNDArrayInternal().sigmoid();
          NDArray forget = gates.get(1).getNDArrayInternal().sigmoid();
          NDArray leave = gates.get(3).getNDArrayInternal().sigmoid();
          NDArray cell = forget.mul(before[1]).add(enter.mul(gates.get(2).tanh()));
          return new NDArray[] {leave.mul(cell.tanh()), cell};
        });
  }
}
