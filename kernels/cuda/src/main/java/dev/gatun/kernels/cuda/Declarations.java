package dev.gatun.kernels.cuda;

import dev.gatun.kernels.cuda.Struct.AddressField;
import dev.gatun.kernels.cuda.Struct.FloatField;
import dev.gatun.kernels.cuda.Struct.IntField;
import dev.gatun.kernels.cuda.Struct.LongField;

/**
 * What {@code cuda-src} declares and launches need: constants, and structures that kernels take by
 * value or leave in memory. Not to be edited: {@code ./gatun dev declarations} writes it.
 */
final class Declarations {
  /** {@code kWarps} of {@code attention/backward.cu}. */
  static final int BACKWARD_WARPS = 4;

  /** {@code kRows} of {@code attention/decode.cu}. */
  static final int DECODE_ROWS = 16;

  /** {@code kWarps} of {@code attention/general.cu}. */
  static final int GENERAL_WARPS = 4;

  /** {@code kQueries} of {@code attention/tiles.cu}. */
  static final int TILES_QUERIES = 64;

  /** {@code kQueries} of {@code attention/tiles_sm90a.cu}. */
  static final int TILES_SM90A_QUERIES = 128;

  /** {@code kKeys} of {@code attention/tiles_sm90a.cu}. */
  static final int TILES_SM90A_KEYS = 128;

  /** {@code kBox} of {@code attention/tiles_sm90a.cu}. */
  static final int TILES_SM90A_BOX = 64;

  /** {@code kRows} of {@code optim/adafactor.cu}. */
  static final int ADAFACTOR_ROWS = 16;

  /** {@code kElements} of {@code optim/adafactor.cu}. */
  static final int ADAFACTOR_ELEMENTS = 4096;

  /** {@code kStepChunk} of {@code optim/optim.cu}. */
  static final int OPTIM_STEP_CHUNK = 1024;

  /** {@code kNormChunk} of {@code optim/optim.cu}. */
  static final int OPTIM_NORM_CHUNK = 16384;

  /** {@code kKept} of {@code quantized/activations.cu}. */
  static final int ACTIVATIONS_KEPT = 4;

  /** {@code kTileCounters} of {@code quantized/split_k.h}. */
  static final int SPLIT_K_TILE_COUNTERS = 8;

  /** {@code kTurn} of {@code quantized/weight_only_sm90a.h}. */
  static final int WEIGHT_ONLY_SM90A_TURN = 32;

  /** {@code kKept} of {@code rows/kept_rows.cu}. */
  static final int KEPT_ROWS_KEPT = 4;

  /** {@code kPart} of {@code rows/sort.cu}. */
  static final int SORT_PART = 1024;

  private Declarations() {}

  /** Of {@code attention/attention.h}. */
  static final class Attention {
    static final Struct STRUCT = new Struct("Attention");
    static final AddressField QUERY = STRUCT.address("query", 1);
    static final AddressField KEY = STRUCT.address("key", 1);
    static final AddressField VALUE = STRUCT.address("value", 1);
    static final AddressField OUTPUT = STRUCT.address("output", 1);
    static final AddressField LSE = STRUCT.address("lse", 1);
    static final AddressField WEIGHTS = STRUCT.address("weights", 1);
    static final AddressField KEY_MASK = STRUCT.address("key_mask", 1);
    static final AddressField BIAS = STRUCT.address("bias", 1);
    static final AddressField SLOPES = STRUCT.address("slopes", 1);
    static final AddressField SINKS = STRUCT.address("sinks", 1);
    static final AddressField KEY_SCALES = STRUCT.address("key_scales", 1);
    static final AddressField VALUE_SCALES = STRUCT.address("value_scales", 1);
    static final AddressField QUERY_OFFSETS = STRUCT.address("query_offsets", 1);
    static final AddressField KEY_OFFSETS = STRUCT.address("key_offsets", 1);
    static final AddressField KEY_LENGTHS = STRUCT.address("key_lengths", 1);
    static final AddressField BLOCK_TABLE = STRUCT.address("block_table", 1);
    static final LongField QUERY_STRIDES = STRUCT.number("query_strides", 3);
    static final LongField KEY_STRIDES = STRUCT.number("key_strides", 3);
    static final LongField VALUE_STRIDES = STRUCT.number("value_strides", 3);
    static final LongField OUTPUT_STRIDES = STRUCT.number("output_strides", 3);
    static final LongField BIAS_STRIDES = STRUCT.number("bias_strides", 4);
    static final LongField BLOCK_TABLE_STRIDE = STRUCT.number("block_table_stride", 1);
    static final LongField PAGE_SIZE = STRUCT.number("page_size", 1);
    static final LongField ROOM = STRUCT.number("room", 1);
    static final LongField HEADS = STRUCT.number("heads", 1);
    static final LongField KV_HEADS = STRUCT.number("kv_heads", 1);
    static final LongField QUERY_LENGTH = STRUCT.number("query_length", 1);
    static final LongField KEY_LENGTH = STRUCT.number("key_length", 1);
    static final LongField HEAD_SIZE = STRUCT.number("head_size", 1);
    static final LongField VALUE_HEAD_SIZE = STRUCT.number("value_head_size", 1);
    static final LongField WINDOW = STRUCT.number("window", 1);
    static final LongField SEED = STRUCT.number("seed", 1);
    static final IntField CAUSAL = STRUCT.integer("causal", 1);
    static final IntField DTYPE = STRUCT.integer("dtype", 1);
    static final FloatField SCALE = STRUCT.real("scale", 1);
    static final FloatField SOFTCAP = STRUCT.real("softcap", 1);
    static final FloatField KEPT = STRUCT.real("kept", 1);
    static final IntField THRESHOLD = STRUCT.integer("threshold", 1);

    private Attention() {}
  }

  /** Of {@code include/strided.h}. */
  static final class StridedLayout {
    static final Struct STRUCT = new Struct("StridedLayout");
    static final LongField COUNT = STRUCT.number("count", 1);
    static final LongField SHAPE = STRUCT.number("shape", 6);
    static final LongField STRIDES = STRUCT.number("strides", 18);

    private StridedLayout() {}
  }

  /** Of {@code include/index_fault.h}. */
  static final class IndexReport {
    static final Struct STRUCT = new Struct("IndexReport");
    static final AddressField FAULT = STRUCT.address("fault", 1);
    static final IntField SITE = STRUCT.integer("site", 1);

    private IndexReport() {}
  }

  /** Of {@code optim/adafactor.cu}. */
  static final class MatrixParameter {
    static final Struct STRUCT = new Struct("MatrixParameter");
    static final AddressField PARAMETER = STRUCT.address("parameter", 1);
    static final AddressField GRADIENT = STRUCT.address("gradient", 1);
    static final AddressField ROW_SQUARES = STRUCT.address("row_squares", 1);
    static final AddressField COLUMN_SQUARES = STRUCT.address("column_squares", 1);
    static final AddressField MEAN = STRUCT.address("mean", 1);
    static final AddressField COPY = STRUCT.address("copy", 1);
    static final LongField BATCHES = STRUCT.number("batches", 1);
    static final LongField ROWS = STRUCT.number("rows", 1);
    static final LongField COLUMNS = STRUCT.number("columns", 1);
    static final LongField FIRST = STRUCT.number("first", 1);
    static final LongField MATRIX = STRUCT.number("matrix", 1);
    static final LongField COLUMN_SUMS = STRUCT.number("column_sums", 1);
    static final FloatField NUMBERS = STRUCT.real("numbers", 8);

    private MatrixParameter() {}
  }

  /** Of {@code optim/adafactor.cu}. */
  static final class MatrixList {
    static final Struct STRUCT = new Struct("MatrixList", MatrixParameter.STRUCT, 24);

    private MatrixList() {}
  }

  /** Of {@code include/optim.h}. */
  static final class Clipping {
    static final Struct STRUCT = new Struct("Clipping");
    static final FloatField SCALE = STRUCT.real("scale", 1);
    static final FloatField MAX_NORM = STRUCT.real("max_norm", 1);
    static final AddressField NORM = STRUCT.address("norm", 1);

    private Clipping() {}
  }

  /** Of {@code optim/adafactor.cu}. */
  static final class Found {
    static final Struct STRUCT = new Struct("Found");
    static final AddressField COLUMN_SUMS = STRUCT.address("column_sums", 1);
    static final AddressField MEANS = STRUCT.address("means", 1);
    static final AddressField SQUARES = STRUCT.address("squares", 1);

    private Found() {}
  }

  /** Of {@code optim/optim.cu}. */
  static final class Parameter {
    static final Struct STRUCT = new Struct("Parameter");
    static final AddressField PARAMETER = STRUCT.address("parameter", 1);
    static final AddressField GRADIENT = STRUCT.address("gradient", 1);
    static final AddressField STATES = STRUCT.address("states", 3);
    static final AddressField COPY = STRUCT.address("copy", 1);
    static final LongField COUNT = STRUCT.number("count", 1);
    static final LongField FIRST = STRUCT.number("first", 1);
    static final FloatField NUMBERS = STRUCT.real("numbers", 8);

    private Parameter() {}
  }

  /** Of {@code optim/optim.cu}. */
  static final class ParameterList {
    static final Struct STRUCT = new Struct("ParameterList", Parameter.STRUCT, 32);

    private ParameterList() {}
  }

  /** Of {@code optim/optim.cu}. */
  static final class Range {
    static final Struct STRUCT = new Struct("Range");
    static final AddressField ELEMENTS = STRUCT.address("elements", 1);
    static final LongField COUNT = STRUCT.number("count", 1);
    static final LongField FIRST = STRUCT.number("first", 1);

    private Range() {}
  }

  /** Of {@code optim/optim.cu}. */
  static final class RangeList {
    static final Struct STRUCT = new Struct("RangeList", Range.STRUCT, 128);

    private RangeList() {}
  }

  /** Of {@code quantized/activations.cu}. */
  static final class QuantizedTokens {
    static final Struct STRUCT = new Struct("QuantizedTokens");
    static final AddressField X = STRUCT.address("x", 1);
    static final LongField X_STRIDE = STRUCT.number("x_stride", 1);
    static final LongField K = STRUCT.number("k", 1);
    static final LongField PADDED_K = STRUCT.number("padded_k", 1);
    static final LongField PADDED_ROWS = STRUCT.number("padded_rows", 1);
    static final IntField X_DTYPE = STRUCT.integer("x_dtype", 1);
    static final IntField KEPT = STRUCT.integer("kept", 1);

    private QuantizedTokens() {}
  }

  /** Of {@code include/token_codes.h}. */
  static final class TokenCodes {
    static final Struct STRUCT = new Struct("TokenCodes");
    static final AddressField CODES = STRUCT.address("codes", 1);
    static final AddressField SCALES = STRUCT.address("scales", 1);
    static final AddressField OFFSETS = STRUCT.address("offsets", 1);
    static final LongField STRIDE = STRUCT.number("stride", 1);
    static final IntField CALIBRATED = STRUCT.integer("calibrated", 1);
    static final IntField WORDS = STRUCT.integer("words", 1);

    private TokenCodes() {}
  }

  /** Of {@code quantized/product.h}. */
  static final class QuantizedProduct {
    static final Struct STRUCT = new Struct("QuantizedProduct");
    static final AddressField X = STRUCT.address("x", 1);
    static final AddressField PACKED = STRUCT.address("packed", 1);
    static final AddressField BIAS = STRUCT.address("bias", 1);
    static final AddressField RESIDUAL = STRUCT.address("residual", 1);
    static final AddressField Y = STRUCT.address("y", 1);
    static final AddressField X_SCALES = STRUCT.address("x_scales", 1);
    static final AddressField X_OFFSETS = STRUCT.address("x_offsets", 1);
    static final AddressField PARTIAL = STRUCT.address("partial", 1);
    static final AddressField ARRIVED = STRUCT.address("arrived", 1);
    static final LongField X_STRIDE = STRUCT.number("x_stride", 1);
    static final LongField RESIDUAL_STRIDE = STRUCT.number("residual_stride", 1);
    static final LongField Y_STRIDE = STRUCT.number("y_stride", 1);
    static final LongField M = STRUCT.number("m", 1);
    static final LongField N = STRUCT.number("n", 1);
    static final LongField K = STRUCT.number("k", 1);
    static final LongField PADDED_ROWS = STRUCT.number("padded_rows", 1);
    static final LongField GROUP = STRUCT.number("group", 1);
    static final LongField RECORD = STRUCT.number("record", 1);
    static final LongField PANEL = STRUCT.number("panel", 1);
    static final IntField SHIFT = STRUCT.integer("shift", 1);
    static final IntField SCALES = STRUCT.integer("scales", 1);
    static final IntField X_DTYPE = STRUCT.integer("x_dtype", 1);
    static final IntField Y_DTYPE = STRUCT.integer("y_dtype", 1);
    static final IntField ACTIVATION = STRUCT.integer("activation", 1);
    static final IntField BITS = STRUCT.integer("bits", 1);
    static final IntField BLOCKS = STRUCT.integer("blocks", 1);
    static final IntField X_SHARED = STRUCT.integer("x_shared", 1);
    static final IntField WIDE_X = STRUCT.integer("wide_x", 1);
    static final IntField WIDE_Y = STRUCT.integer("wide_y", 1);

    private QuantizedProduct() {}
  }

  /** Of {@code quantized/places.h}. */
  static final class ExpertRows {
    static final Struct STRUCT = new Struct("ExpertRows");
    static final AddressField ROWS = STRUCT.address("rows", 1);
    static final AddressField OFFSETS = STRUCT.address("offsets", 1);
    static final LongField X_ROWS = STRUCT.number("x_rows", 1);
    static final IntField EXPERTS = STRUCT.integer("experts", 1);

    private ExpertRows() {}
  }

  /** Of {@code quantized/pack.cu}. */
  static final class BlockPack {
    static final Struct STRUCT = new Struct("BlockPack");
    static final AddressField BLOCKS = STRUCT.address("blocks", 1);
    static final AddressField PACKED = STRUCT.address("packed", 1);
    static final AddressField FIRST = STRUCT.address("first", 1);
    static final LongField ROW_STRIDE = STRUCT.number("row_stride", 1);
    static final LongField N = STRUCT.number("n", 1);
    static final LongField K = STRUCT.number("k", 1);
    static final LongField BLOCK_SIZE = STRUCT.number("block_size", 1);
    static final LongField BLOCK_BYTES = STRUCT.number("block_bytes", 1);
    static final LongField GROUP = STRUCT.number("group", 1);
    static final LongField RECORD = STRUCT.number("record", 1);
    static final IntField KIND = STRUCT.integer("kind", 1);
    static final IntField BITS = STRUCT.integer("bits", 1);
    static final IntField SCALES = STRUCT.integer("scales", 1);

    private BlockPack() {}
  }

  /** Of {@code rope/rotary.cu}. */
  static final class CacheUpdate {
    static final Struct STRUCT = new Struct("CacheUpdate");
    static final AddressField QKV = STRUCT.address("qkv", 1);
    static final AddressField QUERY = STRUCT.address("query", 1);
    static final AddressField KEY_CACHE = STRUCT.address("key_cache", 1);
    static final AddressField VALUE_CACHE = STRUCT.address("value_cache", 1);
    static final LongField KEY_ROW = STRUCT.number("key_row", 1);
    static final LongField KEY_PLACE = STRUCT.number("key_place", 1);
    static final LongField KEY_HEAD = STRUCT.number("key_head", 1);
    static final LongField VALUE_ROW = STRUCT.number("value_row", 1);
    static final LongField VALUE_PLACE = STRUCT.number("value_place", 1);
    static final LongField VALUE_HEAD = STRUCT.number("value_head", 1);
    static final LongField QKV_STRIDE = STRUCT.number("qkv_stride", 1);
    static final LongField QUERY_STRIDE = STRUCT.number("query_stride", 1);
    static final LongField HEADS = STRUCT.number("heads", 1);
    static final LongField KV_HEADS = STRUCT.number("kv_heads", 1);
    static final LongField HEAD_SIZE = STRUCT.number("head_size", 1);
    static final LongField ROOM = STRUCT.number("room", 1);

    private CacheUpdate() {}
  }

  /** Of {@code rows/norms_backward.cu}. */
  static final class NormGradients {
    static final Struct STRUCT = new Struct("NormGradients");
    static final AddressField DY = STRUCT.address("dy", 1);
    static final AddressField X = STRUCT.address("x", 1);
    static final AddressField ADDED = STRUCT.address("added", 1);
    static final AddressField DX = STRUCT.address("dx", 1);
    static final AddressField DWEIGHT = STRUCT.address("dweight", 1);
    static final AddressField DBIAS = STRUCT.address("dbias", 1);
    static final LongField ROWS = STRUCT.number("rows", 1);
    static final LongField COLUMNS = STRUCT.number("columns", 1);
    static final LongField ROWS_OF_BLOCK = STRUCT.number("rows_of_block", 1);
    static final IntField DTYPE = STRUCT.integer("dtype", 1);
    static final IntField PARAMETER_DTYPE = STRUCT.integer("parameter_dtype", 1);
    static final FloatField EPS = STRUCT.real("eps", 1);
    static final FloatField SHIFT = STRUCT.real("shift", 1);

    private NormGradients() {}
  }

  /** Of {@code rows/sort.cu}. */
  static final class Entry {
    static final Struct STRUCT = new Struct("Entry");
    static final LongField KEY = STRUCT.number("key", 1);
    static final LongField PLACE = STRUCT.number("place", 1);

    private Entry() {}
  }

  /** Of {@code include/index_fault.h}. */
  static final class IndexFault {
    static final Struct STRUCT = new Struct("IndexFault");
    static final IntField LOCK = STRUCT.integer("lock", 1);
    static final IntField SITE = STRUCT.integer("site", 1);
    static final IntField BOUND = STRUCT.integer("bound", 1);
    static final LongField PLACE = STRUCT.number("place", 1);
    static final LongField OTHER = STRUCT.number("other", 1);
    static final LongField VALUE = STRUCT.number("value", 1);

    private IndexFault() {}
  }

  /** Of {@code attention/backward.cu}. */
  static final class QuerySums {
    static final Struct STRUCT = new Struct("QuerySums");
    static final FloatField BASE = STRUCT.real("base", 1);
    static final FloatField SHARE = STRUCT.real("share", 1);
    static final FloatField DELTA = STRUCT.real("delta", 1);

    private QuerySums() {}
  }
}
