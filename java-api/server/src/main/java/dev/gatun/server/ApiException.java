package dev.gatun.server;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** A request that is answered with an error of the protocol. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final String type;
  private final String param;
  private final String code;

  private ApiException(int status, String type, String param, String code, String message) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
  }

  /**
   * A request that its sender has to change.
   *
   * @param param the parameter that is wrong; null where it is none
   */
  static ApiException badRequest(String param, String code, String message) {
    return refused(400, param, code, message);
  }

  /** A parameter whose value is wrong. */
  static ApiException wrong(String param, String message) {
    return badRequest(param, "invalid_value", param + ": " + message);
  }

  /** The same with another status of HTTP. */
  static ApiException refused(int status, String param, String code, String message) {
    return new ApiException(status, "invalid_request_error", param, code, message);
  }

  /** A request that this server cannot serve, now or at all. */
  static ApiException failed(int status, String code, String message) {
    return new ApiException(status, "server_error", null, code, message);
  }

  int status() {
    return status;
  }

  String code() {
    return code;
  }

  /** What the client reads: {@code {"error": {"message", "type", "param", "code"}}}. */
  ObjectNode toJson() {
    ObjectNode answer = Json.object();
    answer
        .putObject("error")
        .put("message", getMessage())
        .put("type", type)
        .put("param", param)
        .put("code", code);
    return answer;
  }
}
