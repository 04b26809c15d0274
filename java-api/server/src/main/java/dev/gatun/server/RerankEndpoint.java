package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** {@code /v1/rerank}: documents in the order of how well they answer a query. */
final class RerankEndpoint implements Endpoint {
  private static final int MOST_DOCUMENTS = 2048;

  private final Models models;

  RerankEndpoint(Models models) {
    this.models = models;
  }

  private record Scored(int index, float score) {}

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Fields fields = call.body();
    RerankModel model = models.of(fields, RerankModel.class, "rerank");
    String query = fields.requiredText("query");
    List<String> documents = documents(fields);
    int top = fields.integer("top_n", 1, Integer.MAX_VALUE).orElse(documents.size());
    boolean returns = fields.flag("return_documents", false);
    fields.harmless("user");
    fields.finish();
    List<Scored> scores = new ArrayList<>();
    long start = System.nanoTime();
    try (Slots.Lease _ = model.slots().acquire(1, call.limits())) {
      model.metrics().queue.add((System.nanoTime() - start) / 1e9);
      for (String document : documents) {
        call.check();
        scores.add(new Scored(scores.size(), score(model, query, document, scores.size())));
      }
    }
    scores.sort(Comparator.comparing((Scored each) -> -each.score));
    ObjectNode answer = Json.object().put("id", Answers.id("rerank-")).put("model", model.name());
    ArrayNode results = answer.putArray("results");
    for (Scored each : scores.subList(0, Math.min(top, scores.size()))) {
      ObjectNode result = results.addObject();
      result.put("index", each.index).put("relevance_score", each.score);
      if (returns) {
        result.putObject("document").put("text", documents.get(each.index));
      }
    }
    call.answer(answer);
  }

  private static float score(RerankModel model, String query, String document, int index) {
    try {
      return model.pipeline().classify(query, document, 1).getFirst().score();
    } catch (IllegalArgumentException e) {
      throw ApiException.wrong("documents[%d]".formatted(index), e.getMessage());
    }
  }

  private static List<String> documents(Fields fields) {
    List<JsonNode> given = fields.array("documents");
    if (given == null) {
      throw fields.missing("documents");
    }
    if (given.isEmpty() || given.size() > MOST_DOCUMENTS) {
      throw ApiException.wrong(
          "documents", "%d of them, expected 1 to %d".formatted(given.size(), MOST_DOCUMENTS));
    }
    List<String> documents = new ArrayList<>();
    for (JsonNode each : given) {
      if (each.isTextual()) {
        documents.add(each.textValue());
      } else {
        Fields document = fields.element("documents", documents.size(), each);
        documents.add(document.requiredText("text"));
        document.finish();
      }
    }
    return documents;
  }
}
