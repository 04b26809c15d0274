package dev.gatun.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Lines of a file or another program. */
final class PipedInput implements ChatInput {
  private final BufferedReader reader;

  PipedInput(InputStream in) {
    this.reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  @Override
  public boolean isInteractive() {
    return false;
  }

  @Override
  public String readLine(String prompt) throws IOException {
    return reader.readLine();
  }

  @Override
  public void duringWork(Runnable interruption, Runnable work) {
    work.run();
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
