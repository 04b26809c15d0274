import ai.djl.huggingface.translator.TextEmbeddingTranslatorFactory;
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Says how alike texts are, by DJL alone: which engine computes is a matter of the class path. */
public final class DjlEmbeddings {
  private DjlEmbeddings() {}

  /**
   * Prints the cosine of the first text with each other.
   *
   * @param args a model's directory, then texts
   */
  public static void main(String[] args) throws Exception {
    Criteria<String, float[]> criteria =
        Criteria.builder()
            .setTypes(String.class, float[].class)
            .optModelPath(Path.of(args[0]))
            .optTranslatorFactory(new TextEmbeddingTranslatorFactory())
            .optArgument("includeTokenTypes", true)
            .build();
    List<String> texts = List.of(args).subList(1, args.length);
    try (ZooModel<String, float[]> model = criteria.loadModel();
        Predictor<String, float[]> predictor = model.newPredictor()) {
      List<float[]> vectors = predictor.batchPredict(texts);
      for (int i = 1; i < vectors.size(); i++) {
        double cosine = 0;
        for (int k = 0; k < vectors.get(i).length; k++) {
          cosine += vectors.getFirst()[k] * vectors.get(i)[k];
        }
        System.out.printf(Locale.ROOT, "%.3f %s%n", cosine, texts.get(i));
      }
    }
  }
}
