package dev.gatun.djl;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDArrayIndexer;

/** What DJL's blocks and helpers ask of an array. */
record GatunNDArrayEx(GatunNDArray array)
    implements ActivationMethods,
        UpdateMethods,
        PoolingMethods,
        ConvolutionMethods,
        ImageMethods,
        RecurrentMethods,
        BoxMethods {
  @Override
  public GatunNDArray getArray() {
    return array;
  }

  @Override
  public NDArrayIndexer getIndexer(NDManager manager) {
    return new GatunNDArrayIndexer((GatunNDManager) manager);
  }
}
