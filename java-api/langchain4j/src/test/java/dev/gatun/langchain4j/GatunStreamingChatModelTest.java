package dev.gatun.langchain4j;

import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.argThat;
import static org.mockito.Mockito.atLeast;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import org.mockito.InOrder;

/** LangChain4j's own compliance tests of a {@link StreamingChatModel}. */
final class GatunStreamingChatModelTest extends AbstractStreamingChatModelIT {
  @Override
  protected List<StreamingChatModel> models() {
    return List.of(new GatunStreamingChatModel(Canal.chat()));
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return GatunStreamingChatModel.builder()
        .chat(Canal.chat())
        .defaultRequestParameters(parameters)
        .build();
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return GatunStreamingChatModel.builder()
        .chat(Canal.chat())
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return GatunChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).seed(1L).build();
  }

  @Override
  protected void verifyToolCallbacks(
      StreamingChatResponseHandler handler, InOrder calls, String id) {
    calls.verify(handler, atLeast(1)).onPartialToolCall(argThat(each -> each.index() == 0), any());
    calls.verify(handler).onCompleteToolCall(weather(id));
  }

  @Override
  protected void verifyToolCallbacks(
      StreamingChatResponseHandler handler, InOrder calls, String first, String second) {
    verifyToolCallbacks(handler, calls, first);
    calls.verify(handler, atLeast(1)).onPartialToolCall(argThat(each -> each.index() == 1), any());
    calls
        .verify(handler)
        .onCompleteToolCall(complete(1, second, "getTime", "{\"country\": \"France\"}"));
  }

  private static CompleteToolCall weather(String id) {
    return complete(0, id, "getWeather", "{\"city\": \"Munich\"}");
  }

  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  @Override
  protected boolean supportsToolsAndJsonResponseFormatWithSchema() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }
}
