/**
 * The command line: {@code gatun search}, {@code gatun chat}, {@code gatun generate}, {@code gatun
 * serve}, {@code gatun train}, {@code gatun translate}, {@code gatun summarize}, {@code gatun
 * perplexity}, {@code gatun inspect}, {@code gatun quantize}, {@code gatun info}, {@code gatun
 * quantize-report}.
 */
module dev.gatun.cli {
  requires com.fasterxml.jackson.databind;
  requires dev.gatun;
  requires dev.gatun.kernels.api;
  requires dev.gatun.kernels.formats;
  requires dev.gatun.onnx;
  requires dev.gatun.server;
  requires dev.gatun.text.hf;
  requires info.picocli;
  requires me.tongfei.progressbar;
  // By which JLine hears of Ctrl-C.
  requires jdk.unsupported;
  requires org.jline.reader;
  requires org.jline.terminal;

  opens dev.gatun.cli to
      com.fasterxml.jackson.databind,
      info.picocli;
}
