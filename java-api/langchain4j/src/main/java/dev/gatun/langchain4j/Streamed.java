package dev.gatun.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialThinking;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.withLoggingExceptions;

import dev.gatun.chat.ChatDelta;
import dev.gatun.chat.ChatResult;
import dev.gatun.chat.ChatStream;
import dev.gatun.chat.ToolCall;
import dev.gatun.chat.ToolCallDelta;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;

/** Tells a handler of an answer as it comes. */
final class Streamed implements Runnable, StreamingHandle {
  private final Calls calls;
  private final ChatStream stream;
  private final StreamingChatResponseHandler handler;
  private volatile boolean cancelled;
  private ToolCall call;
  private String waiting = "";
  private int index;

  Streamed(Calls calls, ChatStream stream, StreamingChatResponseHandler handler) {
    this.calls = calls;
    this.stream = stream;
    this.handler = handler;
  }

  @Override
  public void cancel() {
    cancelled = true;
    stream.cancel();
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void run() {
    try {
      for (ChatDelta delta : stream) {
        if (cancelled) {
          return;
        }
        tell(delta);
      }
      ChatResult result = stream.result();
      if (cancelled) {
        return;
      }
      completeCall();
      onCompleteResponse(handler, calls.response(result));
    } catch (RuntimeException e) {
      withLoggingExceptions(() -> handler.onError(e));
    }
  }

  private void tell(ChatDelta delta) {
    if (!delta.reasoning().isEmpty()) {
      onPartialThinking(handler, delta.reasoning(), this);
    }
    if (!delta.content().isEmpty()) {
      onPartialResponse(handler, delta.content(), this);
    }
    for (ToolCallDelta each : delta.toolCalls()) {
      if (each.name() != null) {
        completeCall();
        call = new ToolCall(each.id(), each.name(), "");
        index = each.call();
      }
      call = new ToolCall(call.id(), call.name(), call.arguments() + each.arguments());
      waiting += each.arguments();
      // Parts may not be blank, and arguments that are none come as one.
      if (!waiting.isBlank() && !waiting.strip().equals("{")) {
        onPartialToolCall(
            handler,
            PartialToolCall.builder()
                .index(index)
                .id(call.id())
                .name(call.name())
                .partialArguments(waiting)
                .build(),
            this);
        waiting = "";
      }
    }
  }

  private void completeCall() {
    waiting = "";
    if (call != null) {
      onCompleteToolCall(handler, new CompleteToolCall(index, Messages.of(call)));
      call = null;
    }
  }
}
