package dev.gatun.bench;

import dev.gatun.bench.generation.GatunGenerator;
import dev.gatun.bench.generation.GatunLoading;
import dev.gatun.bench.generation.GatunSeq2Seq;
import dev.gatun.bench.generation.LlamaCpp;
import dev.gatun.bench.generation.LlamaCppFiles;
import dev.gatun.bench.generation.LlamaCppLoading;
import dev.gatun.bench.generation.OnnxSeq2Seq;
import dev.gatun.bench.generation.RandomT5;
import dev.gatun.bench.generation.Seq2SeqCase;
import dev.gatun.bench.generation.TorchSeq2Seq;
import dev.gatun.bench.training.GatunTraining;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The libraries that are measured side by side, each in a process of its own. */
enum Contender {
  GATUN("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(new GatunEmbedder(model, Storage.F32, Compute.EXACT), model);
    }

    @Override
    List<String> command() {
      return List.of("./gatun", "search", Work.QUESTION, Work.FILE);
    }
  },
  GATUN_BF16("gatun-bf16", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(new GatunEmbedder(model, Storage.BF16, Compute.EXACT), model);
    }
  },
  GATUN_INT8("gatun-int8", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(
          new GatunEmbedder(model, Storage.INT8, Compute.INT8_PER_TOKEN), model);
    }

    @Override
    double leastCosine() {
      return 0.98;
    }
  },
  ONNX_RUNTIME("onnxruntime", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(new OnnxEmbedder(model.resolve(Model.GRAPH), threads), model);
    }
  },
  ONNX_RUNTIME_INT8("onnxruntime-int8", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(
          new OnnxEmbedder(model.resolve(Model.QUANTIZED_GRAPH), threads), model);
    }

    @Override
    double leastCosine() {
      return 0.95;
    }
  },
  /** Idle threads of its OpenMP sleep at once, so that they disturb no one else's turn. */
  DJL_PYTORCH("djl-pytorch", List.of("OMP_WAIT_POLICY=PASSIVE", "KMP_BLOCKTIME=0")) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new EmbeddingSubject(new TorchEmbedder(model), model);
    }

    @Override
    List<String> properties(int threads) {
      return List.of(
          "-Dai.djl.offline=true",
          "-Dai.djl.default_engine=PyTorch",
          "-Dai.djl.pytorch.num_threads=" + threads,
          "-Dai.djl.pytorch.num_interop_threads=1");
    }
  },
  GATUN_DJL("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new DjlSubject("Gatun", model);
    }
  },
  TORCH_DJL("djl-pytorch", DJL_PYTORCH.environment) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new DjlSubject("PyTorch", model);
    }

    @Override
    List<String> properties(int threads) {
      return DJL_PYTORCH.properties(threads);
    }
  },
  GATUN_ARRAYS("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new DjlArrays("Gatun");
    }
  },
  TORCH_ARRAYS("djl-pytorch", DJL_PYTORCH.environment) {
    @Override
    Subject open(Path model, int threads) {
      return new DjlArrays("PyTorch");
    }

    @Override
    List<String> properties(int threads) {
      return DJL_PYTORCH.properties(threads);
    }
  },
  GATUN_GENERATOR("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new GatunGenerator();
    }
  },
  LLAMA_CPP("llama.cpp", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new LlamaCpp(threads);
    }

    /** Its blocks of four bits have the numbers as they are, Gatun's INT4 rounds them again. */
    @Override
    double leastCosine() {
      return 0.98;
    }

    @Override
    List<String> properties(int threads) {
      String folder = System.getProperty(LlamaCppFiles.SETTING);
      return folder == null ? List.of() : List.of("-D" + LlamaCppFiles.SETTING + "=" + folder);
    }

    @Override
    String missing() {
      return LlamaCppFiles.missing();
    }
  },
  GATUN_LOADING("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new GatunLoading();
    }

    /** No more of the heap than loading is to take. */
    @Override
    List<String> properties(int threads) {
      List<String> all = new ArrayList<>(super.properties(threads));
      all.add("-Xmx64m");
      return all;
    }
  },
  LLAMA_CPP_LOADING("llama.cpp", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new LlamaCppLoading(threads);
    }

    @Override
    double leastCosine() {
      return LLAMA_CPP.leastCosine();
    }

    @Override
    List<String> properties(int threads) {
      return LLAMA_CPP.properties(threads);
    }

    @Override
    String missing() {
      return LLAMA_CPP.missing();
    }
  },
  GATUN_SEQ2SEQ("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new GatunSeq2Seq(Storage.F32, Compute.EXACT);
    }
  },
  GATUN_SEQ2SEQ_BF16("gatun-bf16", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new GatunSeq2Seq(Storage.BF16, Compute.EXACT);
    }

    /** Texts part where two tokens are nearly as likely. */
    @Override
    double leastCosine() {
      return 0.8;
    }
  },
  TORCH_SEQ2SEQ("djl-pytorch", DJL_PYTORCH.environment) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new TorchSeq2Seq(TorchScript.T5.write(RandomT5.directory(Seq2SeqCase.FOLDER)));
    }

    @Override
    List<String> properties(int threads) {
      return DJL_PYTORCH.properties(threads);
    }
  },
  ONNX_SEQ2SEQ("onnxruntime", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new OnnxSeq2Seq(OnnxGraphs.write(RandomT5.directory(Seq2SeqCase.FOLDER)), threads);
    }
  },
  GATUN_TRAINING("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new GatunTraining(DType.F32);
    }
  },
  GATUN_TRAINING_BF16("gatun-bf16", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new GatunTraining(DType.BF16);
    }

    @Override
    double mostDifference() {
      return 0.02;
    }
  },
  TORCH_TRAINING("djl-pytorch", DJL_PYTORCH.environment) {
    @Override
    Subject open(Path model, int threads) {
      return TorchScript.trainer();
    }

    @Override
    List<String> properties(int threads) {
      return DJL_PYTORCH.properties(threads);
    }

    /**
     * Its first loss is Gatun's; then its AdamW has another epsilon, and limits other gradients.
     */
    @Override
    double mostDifference() {
      return 0.002;
    }
  },
  GATUN_KERNELS("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new GatunKernels();
    }
  },
  /** It keeps its memory from call to call, so that its results are not in pages to be made. */
  LIBTORCH(
      "libtorch",
      List.of(
          "OMP_WAIT_POLICY=PASSIVE",
          "KMP_BLOCKTIME=0",
          "MALLOC_MMAP_MAX_=0",
          "MALLOC_ARENA_MAX=1",
          "MALLOC_TRIM_THRESHOLD_=17179869184")) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new TorchKernels(model.resolveSibling("kernels"));
    }

    /** Its int4 weights have no zero points in these cases, so they are other weights. */
    @Override
    double leastCosine() {
      return 0.99;
    }

    @Override
    List<String> properties(int threads) {
      return DJL_PYTORCH.properties(threads);
    }
  },
  MEMORY("memory", List.of()) {
    @Override
    Subject open(Path model, int threads) throws Exception {
      return new MemoryCeiling(threads);
    }

    @Override
    boolean computes() {
      return false;
    }
  },
  SMALL_OP("gatun", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new SmallCalls(SmallCalls.Way.OP);
    }
  },
  SMALL_RUN("run", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new SmallCalls(SmallCalls.Way.RUN);
    }
  },
  SMALL_RECORD("record", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new SmallCalls(SmallCalls.Way.RECORD);
    }

    @Override
    boolean computes() {
      return false;
    }
  },
  SMALL_KERNEL("kernel", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new SmallCalls(SmallCalls.Way.KERNEL);
    }
  },
  SMALL_EMPTY("empty", List.of()) {
    @Override
    Subject open(Path model, int threads) {
      return new SmallCalls(SmallCalls.Way.EMPTY);
    }

    @Override
    boolean computes() {
      return false;
    }
  };

  /** The name in results. */
  final String id;

  /** Settings of the process. */
  final List<String> environment;

  Contender(String id, List<String> environment) {
    this.id = id;
    this.environment = environment;
  }

  /** Loads the library, and the model where it needs one. */
  abstract Subject open(Path model, int threads) throws Exception;

  /** Whether its vectors are those of the others. */
  boolean computes() {
    return true;
  }

  /** Why it cannot be measured here; null where it can. */
  String missing() {
    return null;
  }

  /** How close to the first contender's its vectors must be. */
  double leastCosine() {
    return 0.999;
  }

  /** How far its numbers may be from the first contender's, of the largest of these. */
  double mostDifference() {
    return Double.POSITIVE_INFINITY;
  }

  /** The command that users run for the main job; empty where there is none. */
  List<String> command() {
    return List.of();
  }

  /** Options of its JVM. */
  List<String> properties(int threads) {
    // Where the native kernels cannot run nothing else is measured in their place.
    return List.of("-Dgatun.backend=cpu", "-Dgatun.cpu.threads=" + threads);
  }
}
