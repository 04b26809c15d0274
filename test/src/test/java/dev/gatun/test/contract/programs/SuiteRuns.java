package dev.gatun.test.contract.programs;

import java.io.PrintWriter;
import java.util.Arrays;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * A program that runs test classes in one JVM, which ends as any does, so that counters are
 * written: for coverage. Its exit code is 1 where a test failed or none ran.
 */
public final class SuiteRuns {
  private SuiteRuns() {}

  public static void main(String[] classes) {
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(Arrays.stream(classes).map(DiscoverySelectors::selectClass).toList())
                .filters(TagFilter.excludeTags("full"))
                .build(),
            summary);
    summary.getSummary().printFailuresTo(new PrintWriter(System.out, true), 5);
    summary.getSummary().printTo(new PrintWriter(System.out, true));
    boolean right =
        summary.getSummary().getTotalFailureCount() == 0
            && summary.getSummary().getTestsSucceededCount() > 0;
    System.exit(right ? 0 : 1);
  }
}
