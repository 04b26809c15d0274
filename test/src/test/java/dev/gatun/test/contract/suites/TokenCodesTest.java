package dev.gatun.test.contract.suites;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.device.Backend;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.cpu.CpuLevel;
import dev.gatun.test.contract.cases.QuantizedCases;
import dev.gatun.test.contract.cases.RowCases;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Numbers;
import dev.gatun.test.contract.frame.Runs;
import dev.gatun.test.contract.frame.Subjects;
import dev.gatun.test.contract.frame.Target;
import dev.gatun.test.contract.frame.Values;
import dev.gatun.test.emulator.Emulator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Codes are the same bits wherever they are made: by a norm or by a kernel of their own after it,
 * and by that or by the product that reads them.
 */
final class TokenCodesTest {
  private static final DType[] FLOATS = {DType.F32, DType.BF16, DType.F16};

  /** Something to check on a backend. */
  private interface Check {
    void on(Backend backend, String name);
  }

  @AfterAll
  static void restore() {
    Subjects.CPU.setLevel(Subjects.levels().getLast());
  }

  private static void everywhere(Check check) {
    for (CpuLevel level : Subjects.levels()) {
      Subjects.CPU.setLevel(level);
      check.on(Subjects.CPU, level.id());
    }
    check.on(Subjects.EXACT, "reference");
    check.on(Emulator.open(), "cuda");
  }

  private static Data random(Random random, String name, DType dtype, long... shape) {
    return Data.normal(random, name, shape).withDtype(dtype);
  }

  /** Codes and what they mean: outputs, or where calibrated a scale and an offset. */
  private static List<Data> codes(
      Random random, long rows, long columns, boolean calibrated, boolean offsets) {
    List<Data> data = new ArrayList<>();
    data.add(QuantizedCases.bytes("codes", null, rows, columns));
    data.add(calibrated ? Data.input(1, "scales", r -> 0.02, 1) : Data.output("scales", rows));
    if (offsets) {
      data.add(calibrated ? Data.normal(random, "offsets", 1) : Data.output("offsets", rows));
    }
    return data;
  }

  private static List<Data> both(List<Data> some, List<Data> others) {
    List<Data> all = new ArrayList<>(some);
    all.addAll(others);
    return all;
  }

  private static void same(Map<String, int[]> want, Map<String, int[]> got, String what) {
    want.forEach((name, bits) -> assertArrayEquals(bits, got.get(name), what + ": " + name));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 7", "5, 64", "33, 100", "7, 384", "4, 1024", "2, 8200"})
  void a_norm_writes_what_a_kernel_after_it_would(long rows, long columns) {
    for (int i = 0; i < 24; i++) {
      Random random = new Random(i);
      DType dtype = FLOATS[i % 3];
      boolean rms = i / 3 % 2 == 0;
      boolean calibrated = i / 6 % 2 == 0;
      boolean aligned = i / 12 % 2 == 0;
      boolean inPlace = random.nextBoolean();
      List<Data> data = new ArrayList<>();
      Data x = random(random, "x", dtype, rows, columns);
      if (random.nextInt(4) == 0) {
        x = x.with(random, Double.NaN);
      }
      data.add(inPlace ? x.inPlace() : x);
      if (rms || random.nextBoolean()) {
        data.add(random(random, "weight", dtype, columns));
        data.add(random(random, "bias", dtype, columns));
      }
      if (random.nextBoolean()) {
        data.add(random(random, "residual", dtype, rows, columns));
      }
      if (random.nextBoolean()) {
        data.add(Data.output("sum", rows, columns).withDtype(dtype));
      }
      Data y = Data.output("y", rows, columns).withDtype(dtype);
      List<Data> withY = inPlace ? data : both(data, List.of(y));
      List<Data> codes = codes(random, rows, columns, calibrated, random.nextBoolean());
      String name = inPlace ? "x" : "y";
      Case norm =
          Case.of("norm", withY, of -> RowCases.norm(n -> of.apply(at(n, name)), rms, null));
      Case fused =
          Case.of(
              "norm codes",
              both(withY, codes),
              of ->
                  RowCases.norm(
                      n -> of.apply(at(n, name)), rms, QuantizedCases.codes(of, calibrated)));
      Case alone =
          Case.of(
              "norm codes alone",
              both(data, codes),
              of -> RowCases.norm(of, rms, QuantizedCases.codes(of, calibrated)));
      everywhere(
          (backend, level) -> {
            String what = "%s on %s".formatted(norm, level);
            Map<String, int[]> plain = Runs.run(norm, backend, aligned);
            Map<String, int[]> got = Runs.run(fused, backend, aligned);
            same(plain, got, what);
            int[] bits = plain.get(name);
            double[] values = new double[bits.length];
            for (int e = 0; e < bits.length; e++) {
              values[e] = Numbers.value(bits[e], dtype);
            }
            Data after = new Data("x", dtype, y.shape(), y.strides(), Values.of(values), false);
            Map<String, int[]> unfused = Runs.run(tokens(after, codes, calibrated), backend);
            same(unfused, got, what);
            if (!inPlace && aligned) {
              same(unfused, Runs.run(alone, backend, true), what + " alone");
            }
          });
    }
  }

  private static String at(String name, String y) {
    return name.equals("y") ? y : name;
  }

  private static Case tokens(Data x, List<Data> codes, boolean calibrated) {
    return Case.of(
        "quantize_tokens",
        both(List.of(x), codes),
        of -> new QuantizeTokens(of.apply("x"), QuantizedCases.codes(of, calibrated)));
  }

  @ParameterizedTest
  @CsvSource({
    "INT8, 1, 40, 64",
    "INT8, 5, 33, 112",
    "INT8, 17, 130, 256",
    "INT8:64, 70, 40, 192",
    "INT4_ZERO:128, 3, 65, 256",
    "Q4_1, 20, 33, 96"
  })
  void a_product_gives_the_same_of_codes_as_of_what_they_were_made_of(
      String name, int m, int n, int k) {
    BlockFormat format = BlockFormat.of(name);
    Random random = new Random(m);
    Data packed = QuantizedCases.packed(random, Target.EMULATED, format, n, k);
    Data x = random(random, "x", FLOATS[m % 3], m, k);
    List<Data> codes = codes(random, m, k, false, name.equals("INT8"));
    Data y = Data.output("y", m, n);
    everywhere(
        (backend, level) -> {
          Map<String, int[]> made = Runs.run(tokens(x, codes, false), backend);
          List<Data> given = new ArrayList<>(List.of(packed, y));
          for (Data data : codes) {
            double[] values = new double[data.count()];
            for (int i = 0; i < values.length; i++) {
              values[i] = Numbers.value(made.get(data.name())[i], data.dtype());
            }
            given.add(
                new Data(
                    data.name(),
                    data.dtype(),
                    data.shape(),
                    data.strides(),
                    Values.of(values),
                    false));
          }
          Case floats =
              Case.of(
                  "floats",
                  List.of(packed, y, x),
                  of -> product(format, of.apply("x"), null, of.apply("packed"), of.apply("y")));
          Case coded =
              Case.of(
                  "codes",
                  given,
                  of ->
                      product(
                          format,
                          of.apply("codes"),
                          new ActivationCodes(of.apply("scales"), of.apply("offsets")),
                          of.apply("packed"),
                          of.apply("y")));
          same(Runs.run(floats, backend, true), Runs.run(coded, backend, true), level + " " + name);
        });
  }

  private static QuantizedMatmul product(
      BlockFormat format, Operand x, ActivationCodes codes, Operand packed, Operand y) {
    return new QuantizedMatmul(
        format.wideLayout(),
        QuantizedActivations.INT8_PER_TOKEN,
        x,
        codes,
        packed,
        null,
        Activation.NONE,
        null,
        y);
  }
}
