package dev.gatun.test.text;

import java.util.List;

/** Small tokenizer.json files of every kind of model that encoders have. */
final class Tokenizers {
  private static final String ADDED =
      """
      "version":"1.0",
      "truncation":{"direction":"Right","max_length":4,"strategy":"LongestFirst","stride":0},
      "padding":{"strategy":{"Fixed":9},"direction":"Right","pad_to_multiple_of":null,
        "pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},
      "added_tokens":[
        {"id":0,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,
          "normalized":false,"special":true},
        {"id":1,"content":"[MASK]","single_word":false,"lstrip":true,"rstrip":false,
          "normalized":false,"special":true}],
      """;

  /** BERT's. */
  static final String WORD_PIECE =
      """
      {%s
      "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,
        "strip_accents":null,"lowercase":true},
      "pre_tokenizer":{"type":"BertPreTokenizer"},
      "post_processor":{"type":"TemplateProcessing",
        "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
          {"SpecialToken":{"id":"[SEP]","type_id":0}}],
        "pair":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
          {"SpecialToken":{"id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},
          {"SpecialToken":{"id":"[SEP]","type_id":1}}],
        "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},
          "[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
      "decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
      "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
        "max_input_chars_per_word":100,
        "vocab":{"[PAD]":0,"[MASK]":1,"[CLS]":2,"[SEP]":3,"[UNK]":4,"a":5,"b":6,"##b":7}}}
      """
          .formatted(ADDED);

  /** RoBERTa's. */
  static final String BPE =
      """
      {%s
      "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},
        {"type":"Replace","pattern":{"Regex":"x+"},"content":"x"},{"type":"Lowercase"}]},
      "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,
        "use_regex":true},
      "post_processor":{"type":"RobertaProcessing","sep":["</s>",3],"cls":["<s>",2],
        "trim_offsets":true,"add_prefix_space":true},
      "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
      "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":"",
        "end_of_word_suffix":"","fuse_unk":false,"byte_fallback":false,
        "vocab":{"[PAD]":0,"[MASK]":1,"<s>":2,"</s>":3,"<unk>":4,"a":5,"b":6,"\u0120":7,
          "ab":8,"\u0120ab":9},
        "merges":["a b","\u0120 ab"]}}
      """
          .formatted(ADDED);

  /** XLM-RoBERTa's. */
  static final String UNIGRAM =
      """
      {%s
      "normalizer":{"type":"NFKC"},
      "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},
        {"type":"Metaspace","replacement":"\u2581","add_prefix_space":true,
          "prepend_scheme":"always"}]},
      "post_processor":{"type":"BertProcessing","sep":["</s>",3],"cls":["<s>",2]},
      "decoder":{"type":"Metaspace","replacement":"\u2581","add_prefix_space":true,
        "prepend_scheme":"always"},
      "model":{"type":"Unigram","unk_id":4,"byte_fallback":false,
        "vocab":[["[PAD]",0.0],["[MASK]",0.0],["<s>",0.0],["</s>",0.0],["<unk>",0.0],
          ["\u2581",-1.5],["a",-2.5],["b",-2.5],["\u2581a",-3.0]]}}
      """
          .formatted(ADDED);

  static final List<String> ALL = List.of(WORD_PIECE, BPE, UNIGRAM);

  private Tokenizers() {}
}
