package dev.gatun.test.coverage;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClasspathRoots;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * A program that runs the tests of the classes named, or of all in a folder, but for the long ones,
 * to their end, and ends as processes should: what counts branches writes its counts then.
 */
public final class CoverageRun {
  private CoverageRun() {}

  /** Of a class, or of all classes in a folder. */
  private static DiscoverySelector selector(String name) {
    Path folder = Path.of(name);
    return Files.isDirectory(folder)
        ? selectClasspathRoots(Set.of(folder)).getFirst()
        : selectClass(name);
  }

  public static void main(String[] args) {
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(Arrays.stream(args).map(CoverageRun::selector).toList())
                .filters(TagFilter.excludeTags("full"))
                .build(),
            summary);
    summary.getSummary().printTo(new PrintWriter(System.out));
    summary.getSummary().printFailuresTo(new PrintWriter(System.out), 5);
    System.exit(summary.getSummary().getTestsFailedCount() == 0 ? 0 : 1);
  }
}
