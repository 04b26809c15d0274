/** An HTTP server with OpenAI's protocol: {@link dev.gatun.server.GatunServer}. */
package dev.gatun.server;
