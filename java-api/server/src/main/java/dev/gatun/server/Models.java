package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The models by their names. */
final class Models implements AutoCloseable {
  private final Map<String, ServedModel> byName = new LinkedHashMap<>();

  /**
   * @throws IllegalArgumentException where two have one name, or there is none
   */
  Models(List<ServedModel> models) {
    for (ServedModel model : models) {
      if (byName.put(model.name(), model) != null) {
        throw new IllegalArgumentException("two models are named " + model.name());
      }
    }
    if (byName.isEmpty()) {
      throw new IllegalArgumentException("a server needs a model");
    }
  }

  Collection<ServedModel> all() {
    return byName.values();
  }

  /**
   * The model that a request names; where it names none, the only one of its kind.
   *
   * @param use what it is to do, as {@link ServedModel#capabilities} has it
   */
  <M extends ServedModel> M of(Fields request, Class<M> kind, String use) {
    Optional<String> name = request.text("model");
    if (name.isEmpty()) {
      List<ServedModel> fitting = all().stream().filter(kind::isInstance).toList();
      if (fitting.size() != 1) {
        throw ApiException.badRequest(
            "model",
            "missing_required_parameter",
            "model is missing; the models are " + byName.keySet());
      }
      return kind.cast(fitting.getFirst());
    }
    ServedModel model = named(name.get());
    if (!kind.isInstance(model)) {
      throw ApiException.badRequest(
          "model",
          "model_not_suitable",
          "the model %s is for %s, not for %s"
              .formatted(model.name(), String.join(" and ", model.capabilities()), use));
    }
    return kind.cast(model);
  }

  /**
   * A model by its name.
   *
   * @throws ApiException where there is none
   */
  ServedModel named(String name) {
    ServedModel model = byName.get(name);
    if (model == null) {
      throw ApiException.refused(
          404,
          "model",
          "model_not_found",
          "there is no model %s; the models are %s".formatted(name, byName.keySet()));
    }
    return model;
  }

  /** What {@code /v1/models} tells. */
  ObjectNode list() {
    ObjectNode list = Json.object().put("object", "list");
    ArrayNode data = list.putArray("data");
    all().forEach(model -> data.add(describe(model)));
    return list;
  }

  /** What it tells of one. */
  static ObjectNode describe(ServedModel model) {
    ObjectNode told =
        Json.object()
            .put("id", model.name())
            .put("object", "model")
            .put("created", model.created())
            .put("owned_by", "gatun");
    ArrayNode capabilities = told.putArray("capabilities");
    model.capabilities().forEach(capabilities::add);
    if (model.maxLength() > 0) {
      told.put("max_model_len", model.maxLength());
    }
    return told;
  }

  @Override
  public void close() {
    all().forEach(ServedModel::close);
  }
}
