package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.call.KernelCall;

/** Rows by their numbers, and elements laid out in another way. */
public sealed interface IndexingCall extends KernelCall
    permits Copy, Embedding, IndexAdd, IndexSelect, PackedEmbedding, ScatterRows {}
