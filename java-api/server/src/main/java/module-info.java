/** Serves models by OpenAI's protocol, to a network or inside a program. */
module dev.gatun.server {
  requires transitive dev.gatun;
  requires com.fasterxml.jackson.databind;
  requires java.management;
  requires jdk.httpserver;

  exports dev.gatun.server;
}
