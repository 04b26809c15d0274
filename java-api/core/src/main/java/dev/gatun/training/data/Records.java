package dev.gatun.training.data;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Records in memory. */
final class Records implements Dataset {
  private final List<Map<String, Object>> records;

  Records(List<Map<String, Object>> records) {
    this.records = List.copyOf(records);
    if (records.isEmpty()) {
      throw new DatasetException("data: no records, expected at least one");
    }
  }

  @Override
  public int size() {
    return records.size();
  }

  @Override
  public Example get(int index) {
    return new Example(records.get(index), "record " + index, index);
  }

  @Override
  public long fingerprint() {
    long sum = records.size();
    for (Map<String, Object> record : records) {
      // In the order of the names, for a map may have any.
      for (char c : new TreeMap<>(record).toString().toCharArray()) {
        sum = sum * 1_000_003 + c;
      }
    }
    return sum;
  }
}
