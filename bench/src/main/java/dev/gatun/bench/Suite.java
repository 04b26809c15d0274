package dev.gatun.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What is measured together.
 *
 * @param cases run in processes that stay
 * @param cold cases that are also measured from the start of a process
 * @param contenders Gatun's first
 */
record Suite(String name, List<String> cases, List<String> cold, List<Contender> contenders) {
  private static final List<Contender> ENCODERS =
      List.of(
          Contender.GATUN,
          Contender.GATUN_BF16,
          Contender.GATUN_INT8,
          Contender.ONNX_RUNTIME,
          Contender.ONNX_RUNTIME_INT8,
          Contender.DJL_PYTORCH);
  private static final List<Contender> KERNELS =
      List.of(Contender.GATUN_KERNELS, Contender.LIBTORCH);

  private static final String ROWS = Shapes.sizes(Shapes.ROWS, Shapes.COLUMNS);
  private static final String PROMPT =
      Shapes.sizes(1, Shapes.HEADS, Shapes.LENGTH, Shapes.LENGTH, Shapes.HEAD_SIZE);

  static final List<Suite> ALL =
      List.of(
          new Suite("main-job", List.of(Work.MAIN_JOB), List.of(Work.MAIN_JOB), ENCODERS),
          new Suite(
              "minilm",
              List.of("32x128", "1x16", "1x128", "ragged-32", Work.ONE_TEXT, Work.ONE_TEXT_IDS),
              List.of(),
              ENCODERS),
          new Suite(
              "djl",
              DjlSubject.CASES,
              List.of(DjlSubject.ONE_TEXT),
              List.of(Contender.GATUN_DJL, Contender.TORCH_DJL)),
          new Suite(
              "djl-arrays",
              DjlArrays.CASES,
              List.of(),
              List.of(Contender.GATUN_ARRAYS, Contender.TORCH_ARRAYS)),
          new Suite(
              "attention",
              List.of(
                  "attention/f32/causal/" + PROMPT,
                  "attention/f32/full/8x12x128x128x64",
                  "attention/f32/full/1x32x1x2048x128",
                  "attention/bf16/causal/" + PROMPT,
                  "attention/bf16/full/8x12x128x128x64",
                  "attention/bf16/full/1x32x1x2048x128"),
              List.of(),
              KERNELS),
          new Suite("matmul", matmuls(), List.of(), KERNELS),
          new Suite("experts", experts(), List.of(), KERNELS),
          new Suite(
              "rows",
              rows(),
              List.of(),
              List.of(Contender.GATUN_KERNELS, Contender.LIBTORCH, Contender.MEMORY)),
          new Suite("gradients", gradients(), List.of(), KERNELS),
          new Suite(
              "gradient-rows",
              gradientRows(),
              List.of(),
              List.of(Contender.GATUN_KERNELS, Contender.LIBTORCH, Contender.MEMORY)),
          new Suite(
              "generate",
              generations(),
              List.of(),
              List.of(Contender.GATUN_GENERATOR, Contender.LLAMA_CPP)),
          new Suite(
              "gguf", ggufs(), List.of(), List.of(Contender.GATUN_GENERATOR, Contender.LLAMA_CPP)),
          new Suite(
              "loading",
              loadings(),
              List.of(),
              List.of(Contender.GATUN_LOADING, Contender.LLAMA_CPP_LOADING)),
          new Suite(
              "seq2seq",
              List.of("t5-base/encoder", "t5-base/greedy", "t5-base/beams-4"),
              List.of(),
              List.of(
                  Contender.GATUN_SEQ2SEQ,
                  Contender.GATUN_SEQ2SEQ_BF16,
                  Contender.ONNX_SEQ2SEQ,
                  Contender.TORCH_SEQ2SEQ)),
          new Suite(
              "training",
              List.of(
                  "step/minilm/ragged-32",
                  "step/minilm/32x128",
                  "step/minilm-mlm/32x128",
                  "step/bert-base/8x128",
                  "step/gpt2/4x256",
                  "step/minilm/32x128/memory",
                  "step/gpt2/4x256/memory"),
              List.of(),
              List.of(
                  Contender.GATUN_TRAINING,
                  Contender.GATUN_TRAINING_BF16,
                  Contender.TORCH_TRAINING)),
          new Suite(
              "small-calls",
              List.of(
                  "layer_norm/f32/1x64", "softmax/f32/1x64", "add/f32/1x64", "matmul/f32/1x64x64"),
              List.of(),
              List.of(
                  Contender.SMALL_OP,
                  Contender.SMALL_RUN,
                  Contender.SMALL_RECORD,
                  Contender.SMALL_KERNEL,
                  Contender.SMALL_EMPTY,
                  Contender.LIBTORCH)));

  private static List<String> matmuls() {
    List<String> cases = new ArrayList<>();
    for (String type : List.of("f32", "bf16", "w8a8", "w4a16", "w4a16-zeros", "w4a8")) {
      for (String m : List.of(Shapes.ONE, Shapes.FEW, Shapes.MANY)) {
        cases.add("matmul/" + type + "/" + Shapes.sizes(m, Shapes.FEATURES, Shapes.FEATURES));
      }
    }
    return cases;
  }

  private static List<String> generations() {
    List<String> cases = new ArrayList<>();
    for (String shape : List.of("135m", "1.1b")) {
      for (String type : List.of("bf16", "int4", "int8")) {
        cases.add(shape + "/" + type + "/decode");
        cases.add(shape + "/" + type + "/prefill-512");
      }
    }
    cases.add("1.1b/int4/decode-8");
    cases.add("1.1b/int4/decode-16");
    cases.add("1.1b/bf16/decode-8");
    cases.add("1.1b/bf16/decode-16");
    cases.add("1.1b/bf16/decode-at-8192");
    cases.add("empty/bf16/decode");
    cases.add("135m/bf16/decode-by-4");
    return cases;
  }

  private static List<String> ggufs() {
    List<String> cases = new ArrayList<>();
    for (String model :
        List.of(
            "135m/q4_0",
            "135m/q8_0",
            "1.1b/q4_0",
            "1.1b/q8_0",
            "1.1b/q4_k_m",
            "1.1b/q5_k",
            "1.1b/q6_k")) {
      cases.add(model + "/decode");
      cases.add(model + "/prefill-512");
    }
    cases.add("1.1b/q4_k_m/prefill-512-at-8192");
    cases.add("8b/q4_k_m/decode");
    cases.add("8b/q4_k_m/prefill-512");
    return cases;
  }

  private static List<String> loadings() {
    List<String> cases = new ArrayList<>();
    for (String type :
        List.of(
            "bf16",
            "bf16-mapped",
            "bf16-int4",
            "q4_0",
            "q4_0-mapped",
            "q8_0",
            "q4_k_m",
            "q4_k_m-mapped")) {
      for (String work : List.of("load", "first-token", "anonymous")) {
        cases.add("1.1b/" + type + "/" + work);
      }
    }
    cases.add("1.1b/bf16/load-cold");
    cases.add("1.1b/q4_k_m/load-cold");
    return cases;
  }

  private static List<String> experts() {
    List<String> cases = new ArrayList<>();
    for (String type : List.of("f32", "bf16")) {
      for (String tokens : List.of(Shapes.ONE, Shapes.FEW, Shapes.MANY)) {
        cases.add("experts/" + type + "/" + Shapes.sizes(tokens, Shapes.EXPERTS));
      }
    }
    return cases;
  }

  /** Of layers of MiniLM, BERT-base and GPT-2, and of their batches in the suite training. */
  private static List<String> gradients() {
    List<String> cases = new ArrayList<>();
    for (String type : List.of("f32", "bf16")) {
      for (String product : List.of("dx", "dweight")) {
        boolean isDx = product.equals("dx");
        for (int[] layer : new int[][] {{4096, 384, 1536}, {1024, 768, 3072}}) {
          // [tokens, in] of out features, or [out, in] of the tokens.
          cases.add(
              product
                  + "/"
                  + type
                  + "/"
                  + Shapes.sizes(isDx ? layer[0] : layer[2], layer[1], isDx ? layer[2] : layer[0]));
        }
      }
    }
    cases.add("attention_backward/f32/full/32x12x128x128x32");
    cases.add("attention_backward/f32/full/8x12x128x128x64");
    cases.add("attention_backward/f32/causal/3x12x256x256x64");
    cases.add("attention_backward/f32/causal/1x12x1024x1024x64");
    return cases;
  }

  private static List<String> gradientRows() {
    List<String> cases = new ArrayList<>();
    for (String type : List.of("f32", "bf16")) {
      for (String kernel :
          List.of(
              "layer_norm_backward",
              "rms_norm_backward",
              "softmax_backward",
              "gelu_backward",
              "gated_silu_backward")) {
        cases.add(kernel + "/" + type + "/" + ROWS);
      }
    }
    cases.add("adamw/f32/" + ROWS);
    cases.add("adafactor/f32/" + ROWS);
    return cases;
  }

  private static List<String> rows() {
    List<String> cases = new ArrayList<>();
    for (String type : List.of("f32", "bf16")) {
      for (String kernel : List.of("layer_norm", "rms_norm")) {
        cases.add(kernel + "/" + type + "/" + ROWS);
        cases.add(kernel + "/" + type + "/residual/" + ROWS);
      }
      for (String kernel : List.of("softmax", "gelu", "gated_silu", "cast", "add", "embedding")) {
        cases.add(kernel + "/" + type + "/" + ROWS);
      }
    }
    cases.add("rotary/f32/" + Shapes.sizes(Shapes.ROWS, Shapes.HEADS, Shapes.HEAD_SIZE));
    return cases;
  }

  static Suite of(String name) {
    return ALL.stream()
        .filter(suite -> suite.name.equals(name))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "suite '%s': expected one of %s"
                        .formatted(name, ALL.stream().map(Suite::name).toList())));
  }
}
