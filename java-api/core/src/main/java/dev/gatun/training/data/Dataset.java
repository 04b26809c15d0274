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

  /**
   * {@return the record at a place, from 0}
   *
   * @param index from 0 to below {@link #size}
   * @throws DatasetException when its file has become shorter since it was opened, or its line is
   *     no longer what it should be
   * @throws java.io.UncheckedIOException when its file can no longer be read
   */
  Example get(int index);

  /** {@return a number that other records would hardly have} */
  long fingerprint();

  /**
   * {@return the records of text files} Each line is one, with the field {@code text}; empty lines
   * are no records, they begin another document, as does each file. Lines are read again when they
   * are asked for, so that files must stay as they are.
   *
   * @param files in UTF-8, records in their order
   * @throws IOException when a file cannot be read
   * @throws DatasetException when a line is not UTF-8, when there is no text at all, and for a
   *     directory
   */
  static Dataset lines(Path... files) throws IOException {
    return LineFiles.open(false, List.of(files));
  }

  /**
   * {@return the records of files of a JSON object a line, each a document of its own} Lines are
   * read again when they are asked for, so that files must stay as they are.
   *
   * @param files in UTF-8, records in their order
   * @throws IOException when a file cannot be read
   * @throws DatasetException when a line is not a JSON object in UTF-8, and when there is none
   */
  static Dataset jsonl(Path... files) throws IOException {
    return LineFiles.open(true, List.of(files));
  }

  /**
   * {@return the records of a file of lines, or of JSON objects where its name ends in {@code
   * .jsonl}, {@code .json} or {@code .ndjson}}
   *
   * @param file read as {@link #lines} or {@link #jsonl} do
   * @throws IOException when the file cannot be read
   * @throws DatasetException when a line is not what it should be, and when there is no record
   */
  static Dataset of(Path file) throws IOException {
    String name = file.getFileName().toString();
    boolean json = name.endsWith(".jsonl") || name.endsWith(".json") || name.endsWith(".ndjson");
    return json ? jsonl(file) : lines(file);
  }

  /**
   * {@return texts as records, one each, with the field {@code text} and a document of its own}
   *
   * @param texts at least one
   * @throws DatasetException when there is none
   */
  static Dataset of(List<String> texts) {
    List<Map<String, Object>> records = new ArrayList<>();
    texts.forEach(text -> records.add(Map.of("text", text)));
    return ofRecords(records);
  }

  /**
   * {@return records of a program, each a document of its own}
   *
   * @param records at least one, values by the names of fields: texts, numbers, booleans, lists and
   *     maps
   * @throws DatasetException when there is none
   */
  static Dataset ofRecords(List<Map<String, Object>> records) {
    return new Records(records);
  }
}
