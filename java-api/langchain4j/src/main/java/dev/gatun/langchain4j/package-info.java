/**
 * Models of Gatun behind LangChain4j's interfaces: chats, whole and streamed, with tools; vectors;
 * scores of cross-encoders; token counts.
 */
package dev.gatun.langchain4j;
