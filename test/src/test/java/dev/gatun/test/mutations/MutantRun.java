package dev.gatun.test.mutations;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * A program that runs the tests of a class, or one method of it, up to the first that fails, and
 * says which that is. Its exit code is 0 where all passed, 1 where one failed, 3 where none ran.
 */
public final class MutantRun {
  static final int PASSED = 0;
  static final int FAILED = 1;
  static final int NONE = 3;

  private MutantRun() {}

  public static void main(String[] args) {
    String[] test = args[0].split("#");
    Counter counter = new Counter();
    PostDiscoveryFilter method =
        descriptor ->
            FilterResult.includedIf(
                test.length == 1
                    || descriptor
                        .getSource()
                        .map(s -> s instanceof MethodSource m && m.getMethodName().equals(test[1]))
                        .orElse(false));
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(test[0]))
                .filters(method)
                .build(),
            counter);
    System.out.println(counter.ran + " tests passed");
    Runtime.getRuntime().halt(counter.ran == 0 ? NONE : PASSED);
  }

  private static final class Counter implements TestExecutionListener {
    private int ran;

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (result.getStatus() == TestExecutionResult.Status.FAILED) {
        String why = result.getThrowable().map(Throwable::toString).orElse("");
        System.out.println(test.getDisplayName() + ": " + why);
        System.out.flush();
        Runtime.getRuntime().halt(FAILED);
      }
      ran += test.isTest() && result.getStatus() == TestExecutionResult.Status.SUCCESSFUL ? 1 : 0;
    }
  }
}
