package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.tensor.Device;
import dev.gatun.test.devices.ChildJvm;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Encoder-decoders with weights in blocks: the reference's products, in double, with the same
 * blocks are what is right.
 */
final class NarrowSeq2SeqTest {
  private static final List<String> CASES =
      List.of(
          "mt5 INT8 EXACT",
          "mt5 INT8:32 EXACT",
          "mt5 INT4:32 EXACT",
          "mt5 Q4_0 EXACT",
          "switch INT8 EXACT",
          "switch INT4:32 EXACT",
          "mt5 INT8 INT8_PER_TOKEN",
          "mt5 INT4:32 INT8_BLOCKS");

  @TempDir private Path folder;

  @Test
  void give_what_the_reference_gives() throws Exception {
    String[] arguments = new String[CASES.size() + 1];
    arguments[0] = folder.toString();
    for (int i = 0; i < CASES.size(); i++) {
      arguments[i + 1] = CASES.get(i);
    }
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder, Map.of(), List.of("-Dgatun.backend=reference"), Seq2SeqRuns.class, arguments);
    assertEquals(0, outcome.code(), outcome::err);
    for (int i = 0; i < CASES.size(); i++) {
      String name = CASES.get(i);
      FloatBuffer want =
          ByteBuffer.wrap(Files.readAllBytes(folder.resolve("" + (i + 1)))).asFloatBuffer();
      float[] got = Seq2SeqRuns.logits(name, Device.cpu());
      assertEquals(want.remaining(), got.length);
      double product = 0;
      double ours = 0;
      double theirs = 0;
      for (int j = 0; j < got.length; j++) {
        product += (double) got[j] * want.get(j);
        ours += (double) got[j] * got[j];
        theirs += (double) want.get(j) * want.get(j);
      }
      double cosine = product / Math.sqrt(ours * theirs);
      // Codes of activations turn on roundings, layer after layer.
      double least = name.contains("EXACT") ? 0.999999 : 0.999;
      assertTrue(cosine >= least, name + ": cosine " + cosine);
    }
  }
}
