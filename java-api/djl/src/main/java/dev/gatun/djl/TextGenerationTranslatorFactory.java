package dev.gatun.djl;

import ai.djl.Model;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.lang.reflect.Type;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;

/**
 * Writes text behind a {@code Predictor<String, String>}: prompts of all threads, and of a batch,
 * are computed together, step by step, with a cache of keys and values.
 *
 * <pre>Criteria.builder().setTypes(String.class, String.class).optModelPath(directory)
 *     .optTranslatorFactory(new TextGenerationTranslatorFactory()).build()</pre>
 *
 * <p>From {@code String} to {@link Iterator} the text comes in pieces, as they are written: by
 * {@code predict}, or by {@code streamingPredict}. A loop that ends before the text does closes the
 * predictor, or reads on.
 *
 * <p>From {@link Input} to {@link Output}, as DJL Serving asks, a request is a plain text, or JSON:
 * {@code inputs}, a text or a list of them, and {@code parameters} of this request by Hugging
 * Face's names ({@code max_new_tokens}, {@code temperature}, {@code top_k}, {@code top_p}, {@code
 * seed}). The answer is JSON, {@code generated_text}, or a list of such for a list.
 *
 * <p>The arguments {@code maxNewTokens}, {@code temperature}, {@code topK}, {@code topP} and {@code
 * seed} take the place of what {@code generation_config.json} says; a temperature, topK or topP
 * makes it draw.
 */
public final class TextGenerationTranslatorFactory implements TranslatorFactory {
  /** For {@code translatorFactory} in {@code serving.properties} too. */
  public TextGenerationTranslatorFactory() {}

  @Override
  public Set<Pair<Type, Type>> getSupportedTypes() {
    return Set.of(
        new Pair<>(String.class, String.class),
        new Pair<>(String.class, Iterator.class),
        new Pair<>(Input.class, Output.class));
  }

  @Override
  @SuppressWarnings("unchecked")
  public <I, O> Translator<I, O> newInstance(
      Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
      throws TranslateException {
    TextGenerationTranslator texts = new TextGenerationTranslator(arguments);
    if (input == String.class && output == String.class) {
      return (Translator<I, O>) texts;
    }
    if (input == String.class && output == Iterator.class) {
      return (Translator<I, O>) new TextStreamTranslator(texts);
    }
    if (input == Input.class && output == Output.class) {
      return (Translator<I, O>) new TextServingTranslator(texts);
    }
    throw new IllegalArgumentException(
        "text generation: from %s to %s, expected String to String or to Iterator, or Input to Output"
            .formatted(input.getName(), output.getName()));
  }
}
