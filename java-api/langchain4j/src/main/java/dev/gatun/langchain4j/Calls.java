package dev.gatun.langchain4j;

import dev.gatun.chat.Chat;
import dev.gatun.chat.ChatChoice;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatStream;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.text.jinja.TemplateException;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.List;
import java.util.UUID;

/** LangChain4j's requests, made to a chat. */
record Calls(Chat chat, String modelName) {

  /** Refuses what is asked for and not done. */
  void check(ChatRequestParameters parameters) {
    if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
      throw new UnsupportedFeatureException(
          "modelName '%s' is not supported: the model is '%s'"
              .formatted(parameters.modelName(), modelName));
    }
    if (Formats.isJson(parameters)
        && !parameters.toolSpecifications().isEmpty()
        && parameters.toolChoice() != ToolChoice.NONE) {
      throw new UnsupportedFeatureException(
          "JSON response format beside tools is not supported: a text that is held to JSON calls"
              + " none");
    }
  }

  /**
   * Begins an answer.
   *
   * @throws InvalidRequestException where the model or its template refuse the request
   */
  ChatStream stream(ChatRequest request) {
    ChatRequestParameters parameters = request.parameters();
    check(parameters);
    try {
      var builder =
          dev.gatun.chat.ChatRequest.builder()
              .messages(request.messages().stream().map(Messages::of).toList())
              .config(config(parameters));
      if (parameters.toolChoice() != ToolChoice.NONE) {
        List<ToolSpecification> tools = parameters.toolSpecifications();
        builder.tools(tools.stream().map(Messages::of).toList());
        if (parameters.toolChoice() == ToolChoice.REQUIRED) {
          if (tools.isEmpty()) {
            throw new IllegalArgumentException("ToolChoice.REQUIRED, and there are no tools");
          }
          builder.requiredTools(tools.stream().map(ToolSpecification::name).toList());
        }
      }
      if (parameters instanceof GatunChatRequestParameters more) {
        more.templateVariables().forEach(builder::variable);
      }
      return chat.stream(builder.build());
    } catch (IllegalArgumentException | TemplateException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private GenerationConfig config(ChatRequestParameters parameters) {
    GenerationConfig.Builder config = chat.defaults().config().toBuilder();
    if (parameters.maxOutputTokens() != null) {
      config.maxNewTokens(parameters.maxOutputTokens());
    }
    if (!parameters.stopSequences().isEmpty()) {
      config.stopStrings(parameters.stopSequences());
    }
    Double temperature = parameters.temperature();
    if (temperature != null) {
      config.temperature(temperature.floatValue()).doSample(temperature > 0);
    }
    Double minP = parameters instanceof GatunChatRequestParameters more ? more.minP() : null;
    boolean filters = parameters.topP() != null || parameters.topK() != null || minP != null;
    if (filters && (temperature == null || temperature > 0)) {
      config.doSample(true);
    }
    if (parameters.topP() != null) {
      config.topP(parameters.topP());
    }
    if (parameters.topK() != null) {
      config.topK(parameters.topK());
    }
    if (minP != null) {
      config.minP(minP);
    }
    if (parameters.frequencyPenalty() != null) {
      config.frequencyPenalty(parameters.frequencyPenalty().floatValue());
    }
    if (parameters.presencePenalty() != null) {
      config.presencePenalty(parameters.presencePenalty().floatValue());
    }
    if (parameters instanceof GatunChatRequestParameters more) {
      if (more.repetitionPenalty() != null) {
        config.repetitionPenalty(more.repetitionPenalty().floatValue());
      }
      if (more.seed() != null) {
        config.seed(more.seed());
      }
    }
    Formats.constraint(parameters).ifPresent(config::constraint);
    return config.build();
  }

  ChatResponse response(ChatResult result) {
    ChatChoice choice = result.choices().getFirst();
    FinishReason reason =
        switch (choice.completion().reason()) {
          case LENGTH -> FinishReason.LENGTH;
          case TIME, CANCELLED -> FinishReason.OTHER;
          default ->
              choice.message().toolCalls().isEmpty()
                  ? FinishReason.STOP
                  : FinishReason.TOOL_EXECUTION;
        };
    return ChatResponse.builder()
        .id("chatcmpl-" + UUID.randomUUID())
        .modelName(modelName)
        .aiMessage(Messages.of(choice.message()))
        .tokenUsage(
            new TokenUsage(result.generation().promptTokens(), choice.completion().tokens().size()))
        .finishReason(reason)
        .build();
  }
}
