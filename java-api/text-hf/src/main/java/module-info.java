/** Runs tokenizers by Hugging Face's native library: what pipelines on text need. */
module dev.gatun.text.hf {
  requires transitive dev.gatun;
  requires ai.djl.tokenizers;
  // Of what an automatic module needs, the module path knows nothing.
  requires com.google.gson;
  requires org.slf4j;

  exports dev.gatun.text.hf;

  uses org.slf4j.spi.SLF4JServiceProvider;

  provides dev.gatun.text.TokenizerProvider with
      dev.gatun.text.hf.HuggingFaceProvider;
}
