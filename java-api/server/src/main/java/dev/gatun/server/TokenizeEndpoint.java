package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.chat.ChatRequest;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import dev.gatun.text.TokenizerException;
import java.io.IOException;

/** {@code /tokenize}: the tokens of a text, or of a conversation as the model reads it. */
final class TokenizeEndpoint implements Endpoint {
  private final Models models;

  TokenizeEndpoint(Models models) {
    this.models = models;
  }

  @Override
  public void handle(Call call) throws IOException, InterruptedException {
    Fields fields = call.body();
    GenerativeModel model = models.of(fields, GenerativeModel.class, "tokenize");
    Tokenizer tokenizer = model.tokenizer();
    boolean texts = fields.flag("return_token_strs", false);
    long[] ids = ids(fields, model);
    ObjectNode answer =
        Json.object().put("count", ids.length).put("max_model_len", model.maxLength());
    ArrayNode tokens = answer.putArray("tokens");
    ArrayNode spelt = texts ? answer.putArray("token_strs") : Json.array();
    for (long id : ids) {
      tokens.add(id);
      spelt.add(tokenizer.idToToken(id).orElse(""));
    }
    call.answer(answer);
  }

  private static long[] ids(Fields fields, GenerativeModel model) {
    if (fields.any("messages") != null) {
      ChatRequest request = ChatFields.read(fields, model).build();
      fields.finish();
      return ChatFields.prompt(request, model);
    }
    String text = fields.requiredText("prompt");
    boolean special = fields.flag("add_special_tokens", true);
    fields.finish();
    try {
      return model.tokenizer().encode(text, EncodeOptions.DEFAULT.withSpecialTokens(special)).ids();
    } catch (TokenizerException e) {
      throw ApiException.wrong("prompt", e.getMessage());
    }
  }
}
