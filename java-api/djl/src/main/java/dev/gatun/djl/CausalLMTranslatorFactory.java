package dev.gatun.djl;

import ai.djl.Model;
import ai.djl.modality.nlp.generate.CausalLMOutput;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;

/**
 * A decoder for DJL's {@link ai.djl.modality.nlp.generate.TextGenerator}: greedy, beam and
 * contrastive search over a {@code Predictor<NDList, CausalLMOutput>}.
 *
 * <pre>Criteria.builder().setTypes(NDList.class, CausalLMOutput.class).optModelPath(directory)
 *     .optTranslatorFactory(new CausalLMTranslatorFactory()).build()</pre>
 *
 * <p>It takes {@code input_ids} [batch, length], position ids [batch, length], which count the
 * tokens of the mask from 0, {@code attention_mask} [batch, past + length], and the past that an
 * earlier call gave; and gives logits [batch, length, vocab_size], the last hidden states [batch,
 * length, hidden_size] and the past of the next call. The past is one array of FLOAT32, [batch, 1,
 * past, 1]: the ids that the model finds its keys and values by.
 */
public final class CausalLMTranslatorFactory implements TranslatorFactory {
  /** For {@code translatorFactory} in {@code serving.properties} too. */
  public CausalLMTranslatorFactory() {}

  @Override
  public Set<Pair<Type, Type>> getSupportedTypes() {
    return Set.of(new Pair<>(NDList.class, CausalLMOutput.class));
  }

  @Override
  @SuppressWarnings("unchecked")
  public <I, O> Translator<I, O> newInstance(
      Class<I> input, Class<O> output, Model model, Map<String, ?> arguments) {
    if (input != NDList.class || output != CausalLMOutput.class) {
      throw new IllegalArgumentException(
          "causal language model: from %s to %s, expected NDList to CausalLMOutput"
              .formatted(input.getName(), output.getName()));
    }
    return (Translator<I, O>) new Steps();
  }

  private static final class Steps implements NoBatchifyTranslator<NDList, CausalLMOutput> {
    @Override
    public NDList processInput(TranslatorContext ctx, NDList input) {
      if (input.size() < 3 || input.size() > 4) {
        throw new IllegalArgumentException(
            "causal language model: %d arrays, expected input_ids, position ids, attention_mask and perhaps the past"
                .formatted(input.size()));
      }
      NDArray ids = input.get(0);
      NDManager manager = ids.getManager();
      ctx.setAttachment("manager", manager);
      NDArray past =
          input.size() == 4
              ? input.get(3)
              : ctx.getNDManager()
                  .create(new Shape(ids.getShape().get(0), 1, 0, 1), DataType.FLOAT32);
      ids.setName("input_ids");
      input.get(2).setName("attention_mask");
      past.setName(DecoderBody.PAST);
      return new NDList(ids, input.get(2), past);
    }

    @Override
    public CausalLMOutput processOutput(TranslatorContext ctx, NDList list) {
      list.attach((NDManager) ctx.getAttachment("manager"));
      return new CausalLMOutput(list.get(0), list.get(1), list.subNDList(2));
    }
  }
}
