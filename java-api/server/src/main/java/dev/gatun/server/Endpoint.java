package dev.gatun.server;

import java.io.IOException;

/** What answers the requests of a path. */
interface Endpoint {
  /**
   * Answers.
   *
   * @throws ApiException where the request is refused
   * @throws IOException where the client cannot be read or written
   * @throws InterruptedException where the call is to end
   */
  void handle(Call call) throws IOException, InterruptedException;
}
