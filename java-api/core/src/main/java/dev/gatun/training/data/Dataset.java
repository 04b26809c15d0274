package dev.gatun.training.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Records to train on, in an order of their own. Safe for use by several threads. */
public interface Dataset {
  /** {@return how many records there are} */
  int size();

  /** {@return the record at a place, from 0} */
  Example get(int index);

  /** {@return a number that other records would hardly have} */
  long fingerprint();

  /**
   * Text files, each line a record with the field {@code text}; empty lines are no records, they
   * begin another document, as does each file.
   *
   * @throws IOException when a file cannot be read
   * @throws DatasetException when a line is not UTF-8, and when there is no text at all
   */
  static Dataset lines(Path... files) throws IOException {
    return LineFiles.open(false, List.of(files));
  }

  /**
   * Files of a JSON object a line, each a document of its own.
   *
   * @throws IOException when a file cannot be read
   * @throws DatasetException when a line is not a JSON object in UTF-8, and when there is none
   */
  static Dataset jsonl(Path... files) throws IOException {
    return LineFiles.open(true, List.of(files));
  }

  /**
   * A file of lines, or of JSON objects where its name ends in {@code .jsonl}, {@code .json} or
   * {@code .ndjson}; fails as these do.
   */
  static Dataset of(Path file) throws IOException {
    String name = file.getFileName().toString();
    boolean json = name.endsWith(".jsonl") || name.endsWith(".json") || name.endsWith(".ndjson");
    return json ? jsonl(file) : lines(file);
  }

  /** Texts, one a record. */
  static Dataset of(List<String> texts) {
    List<Map<String, Object>> records = new ArrayList<>();
    texts.forEach(text -> records.add(Map.of("text", text)));
    return ofRecords(records);
  }

  /** Records of a program, each a document of its own. */
  static Dataset ofRecords(List<Map<String, Object>> records) {
    return new Records(records);
  }
}
