package dev.gatun.compression;

import java.util.List;
import java.util.Map;

/**
 * A model that was written.
 *
 * @param sourceBytes of the tensors where they came from
 * @param bytes of the file of weights
 * @param elements in all tensors
 * @param types how many tensors are of each type
 * @param leftOut tensors that the file has no place for, which no text depends on
 * @param notes what a user of it should know
 * @param hasTokenizer whether it has a tokenizer
 */
public record QuantizedModel(
    long sourceBytes,
    long bytes,
    long elements,
    Map<String, Integer> types,
    List<String> leftOut,
    List<String> notes,
    boolean hasTokenizer) {}
