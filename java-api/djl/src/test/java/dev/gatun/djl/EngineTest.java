package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The engine as DJL finds it, and who closes arrays. */
final class EngineTest {
  @Test
  void it_is_the_default_beside_pytorch() {
    assertTrue(Engine.getAllEngines().containsAll(List.of("Gatun", "PyTorch")));
    assertEquals("Gatun", Engine.getInstance().getEngineName());
    assertEquals("Gatun", Engine.getEngine("Gatun").getEngineName());
    assertTrue(Engine.getEngine("Gatun").getRank() < Engine.getEngine("PyTorch").getRank());
    assertEquals("Gatun", NDManager.newBaseManager("Gatun").getEngine().getEngineName());
  }

  @Test
  void it_has_the_processor_alone() {
    Engine engine = Engine.getEngine("Gatun");
    assertEquals(Device.cpu(), engine.defaultDevice());
    assertEquals(0, engine.getGpuCount());
    assertFalse(engine.hasCapability(StandardCapabilities.CUDA));
    assertThrows(IllegalArgumentException.class, () -> engine.newBaseManager(Device.gpu()));
    assertTrue(engine.toString().startsWith("Gatun:"), engine::toString);
  }

  @Test
  void a_manager_closes_what_is_made_with_it_and_its_children() throws Exception {
    Models.givingBack(
        () -> {
          NDManager root = manager();
          NDArray array = root.ones(new Shape(3));
          NDManager child = root.newSubManager();
          NDArray inner = child.ones(new Shape(3));
          NDArray sum = array.add(inner);
          assertEquals(3, root.getManagedArrays().size());
          root.close();
          assertFalse(child.isOpen());
          for (NDArray closed : List.of(array, inner, sum)) {
            assertTrue(closed.isReleased());
            assertThrows(IllegalStateException.class, closed::toFloatArray);
            assertThrows(IllegalStateException.class, closed::getShape);
            assertThrows(IllegalStateException.class, () -> closed.add(1));
            assertEquals("This array is already closed", closed.toString());
          }
          assertThrows(IllegalStateException.class, () -> root.create(1f));
          root.close();
        });
  }

  private static NDManager manager() {
    return Engine.getEngine("Gatun").newBaseManager();
  }

  @Test
  void an_array_is_attached_detached_and_lent() throws Exception {
    Models.givingBack(
        () -> {
          NDManager second = manager();
          try (NDManager first = manager()) {
            NDArray array = first.create(new float[] {1, 2});
            array.attach(second);
            assertEquals(second, array.getManager());
            NDManager lent = second.newSubManager();
            array.tempAttach(lent);
            assertEquals(lent, array.getManager());
            lent.close();
            assertFalse(array.isReleased());
            assertEquals(second, array.getManager());
            array.detach();
            second.close();
            assertFalse(array.isReleased());
            array.close();
            array.close();
            assertTrue(array.isReleased());
          }
        });
  }

  @Test
  void a_capped_manager_takes_no_more() throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = manager()) {
            manager.create(1f);
            manager.cap();
            assertThrows(IllegalStateException.class, () -> manager.create(2f));
          }
        });
  }

  @Test
  void a_view_outlives_its_origin() throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = manager()) {
            NDArray origin = manager.arange(6f).reshape(2, 3);
            NDArray row = origin.get(1);
            origin.close();
            assertEquals(List.of(3f, 4f, 5f), List.of(row.toArray()));
            assertThrows(IllegalStateException.class, origin::sum);
          }
        });
  }

  @Test
  void a_scope_closes_what_its_thread_made() throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = manager()) {
            NDArray kept;
            NDArray between;
            try (NDScope _ = new NDScope()) {
              between = manager.ones(new Shape(4));
              kept = between.mul(2);
              NDScope.unregister(kept);
            }
            assertTrue(between.isReleased());
            assertEquals(8, kept.sum().getFloat());
          }
        });
  }

  @Test
  void a_forgotten_array_gives_its_memory_back() throws Exception {
    long before = dev.gatun.tensor.Device.cpu().memory().allocatedBytes();
    forget();
    for (int i = 0; i < 100 && allocated() > before; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertEquals(before, allocated());
  }

  private static long allocated() {
    return dev.gatun.tensor.Device.cpu().memory().allocatedBytes();
  }

  private static void forget() {
    manager().ones(new Shape(1000, 1000));
  }

  @Test
  void random_arrays_follow_the_seed() throws Exception {
    Engine engine = Engine.getEngine("Gatun");
    Models.givingBack(
        () -> {
          try (NDManager manager = manager()) {
            float[][] drawn = new float[2][];
            for (int i = 0; i < 2; i++) {
              engine.setRandomSeed(5);
              NDArray normal = manager.randomNormal(new Shape(20_000));
              assertEquals(0, normal.mean().getFloat(), 0.03);
              assertEquals(1, normal.square().mean().getFloat(), 0.04);
              NDArray uniform = manager.randomUniform(-1, 3, new Shape(20_000));
              assertEquals(1, uniform.mean().getFloat(), 0.04);
              assertTrue(uniform.min().getFloat() >= -1 && uniform.max().getFloat() < 3);
              drawn[i] = normal.concat(uniform).toFloatArray();
            }
            org.junit.jupiter.api.Assertions.assertArrayEquals(drawn[0], drawn[1]);
            NDArray whole = manager.randomInteger(2, 5, new Shape(1000), DataType.INT32);
            assertEquals(2, whole.min().getInt());
            assertEquals(4, whole.max().getInt());
            NDArray any =
                manager.randomInteger(
                    Long.MIN_VALUE, Long.MAX_VALUE, new Shape(1000), DataType.INT64);
            assertEquals(500, any.gt(0).sum().getLong(), 100);
            NDArray half = manager.randomUniform(0, 1, new Shape(20_000), DataType.FLOAT16);
            assertTrue(half.max().getFloat() < 1);
            NDArray order = manager.randomPermutation(50).sort();
            assertEquals(manager.arange(0, 50, 1, DataType.INT64), order);
            NDArray counts =
                manager.randomMultinomial(1000, manager.create(new double[] {0.25, 0.75}));
            assertEquals(1000, counts.sum().getLong());
            assertEquals(250, counts.getLong(0), 60);
            // What the others leave is the last one's.
            NDArray quarter = manager.create(new double[] {0.25, 0});
            assertEquals(250, manager.randomMultinomial(1000, quarter).getLong(0), 60);
            NDArray bad = manager.create(-1f);
            assertThrows(IllegalArgumentException.class, () -> manager.samplePoisson(bad));
            NDArray cut = manager.truncatedNormal(new Shape(5000));
            assertTrue(cut.abs().max().getFloat() <= 2);
            NDArray gamma =
                manager.sampleGamma(
                    manager.create(new float[] {3}),
                    manager.create(new float[] {2}),
                    new Shape(5000));
            assertEquals(6, gamma.mean().getFloat(), 0.3);
            NDArray poisson =
                manager.samplePoisson(manager.create(new float[] {4}), new Shape(5000));
            assertEquals(4, poisson.mean().getFloat(), 0.2);
          }
        });
  }
}
