package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** LangChain4j's parameters of a chat, and those that Gatun has besides. */
public final class GatunChatRequestParameters extends DefaultChatRequestParameters {
  private final Long seed;
  private final Double minP;
  private final Double repetitionPenalty;
  private final Map<String, Object> templateVariables;

  private GatunChatRequestParameters(Builder builder) {
    super(builder);
    this.seed = builder.seed;
    this.minP = builder.minP;
    this.repetitionPenalty = builder.repetitionPenalty;
    this.templateVariables = Map.copyOf(builder.templateVariables);
  }

  /**
   * A builder of nothing yet.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * What makes drawn tokens repeatable.
   *
   * @return the seed; null for one of its own each time
   */
  public Long seed() {
    return seed;
  }

  /**
   * The least probability kept, as a share of the highest.
   *
   * @return it, or null for the model's
   */
  public Double minP() {
    return minP;
  }

  /**
   * What the scores of tokens that are there already are divided by.
   *
   * @return it, or null for the model's
   */
  public Double repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * What the model's chat template is given besides, such as {@code enable_thinking}.
   *
   * @return values by their names
   */
  public Map<String, Object> templateVariables() {
    return templateVariables;
  }

  @Override
  public GatunChatRequestParameters overrideWith(ChatRequestParameters that) {
    return builder().overrideWith(this).overrideWith(that).build();
  }

  @Override
  public GatunChatRequestParameters defaultedBy(ChatRequestParameters that) {
    return builder().overrideWith(that).overrideWith(this).build();
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof GatunChatRequestParameters that
        && Objects.equals(seed, that.seed)
        && Objects.equals(minP, that.minP)
        && Objects.equals(repetitionPenalty, that.repetitionPenalty)
        && templateVariables.equals(that.templateVariables);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), seed, minP, repetitionPenalty, templateVariables);
  }

  /** Makes parameters. */
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private Long seed;
    private Double minP;
    private Double repetitionPenalty;
    private final Map<String, Object> templateVariables = new LinkedHashMap<>();

    private Builder() {}

    @Override
    public Builder overrideWith(ChatRequestParameters parameters) {
      super.overrideWith(parameters);
      if (parameters instanceof GatunChatRequestParameters more) {
        seed = more.seed == null ? seed : more.seed;
        minP = more.minP == null ? minP : more.minP;
        repetitionPenalty =
            more.repetitionPenalty == null ? repetitionPenalty : more.repetitionPenalty;
        templateVariables.putAll(more.templateVariables);
      }
      return this;
    }

    /**
     * Sets {@link GatunChatRequestParameters#seed}.
     *
     * @param value as there
     * @return this builder
     */
    public Builder seed(Long value) {
      this.seed = value;
      return this;
    }

    /**
     * Sets {@link GatunChatRequestParameters#minP}.
     *
     * @param value as there
     * @return this builder
     */
    public Builder minP(Double value) {
      this.minP = value;
      return this;
    }

    /**
     * Sets {@link GatunChatRequestParameters#repetitionPenalty}.
     *
     * @param value as there
     * @return this builder
     */
    public Builder repetitionPenalty(Double value) {
      this.repetitionPenalty = value;
      return this;
    }

    /**
     * Adds to {@link GatunChatRequestParameters#templateVariables}.
     *
     * @param name the variable
     * @param value a string, number, boolean, list or map
     * @return this builder
     */
    public Builder templateVariable(String name, Object value) {
      templateVariables.put(name, value);
      return this;
    }

    @Override
    public GatunChatRequestParameters build() {
      return new GatunChatRequestParameters(this);
    }
  }
}
