package dev.gatun.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/** LangChain4j's own compliance tests of a {@link ChatModel}. */
final class GatunChatModelTest extends AbstractChatModelIT {
  @Override
  protected List<ChatModel> models() {
    return List.of(new GatunChatModel(Canal.chat()));
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return GatunChatModel.builder().chat(Canal.chat()).defaultRequestParameters(parameters).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return GatunChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).seed(1L).build();
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
