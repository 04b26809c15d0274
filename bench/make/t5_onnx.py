"""Writes t5-onnx.zip: the ONNX graphs of a T5 with the shapes of t5-base, whose weights lie in one file besides; bench's OnnxGraphs class
writes that. `encoder` gives the encoder's states of ids. `sources` gives from these what each layer of the decoder sees of them, `greedy` and
`beams` the next tokens: both have the keys and values of the tokens before as inputs and those with the new one as outputs, and choose in the
graph. Attention, norms and their sums are ONNX Runtime's own fused operators, weights of query, key and value are one."""
import io, json, sys, zipfile
import numpy
from onnx import TensorProto, helper, numpy_helper

HIDDEN, LAYERS, HEADS, SIZE, INNER, VOCABULARY, BUCKETS, FARTHEST, LONGEST = 768, 12, 12, 64, 3072, 32128, 32, 128, 256
OWN = "com.microsoft"
FLOAT, LONG = TensorProto.FLOAT, TensorProto.INT64


class Weights:
    """The file of weights: the parameters one after another, each where a graph first asks for it."""

    def __init__(self):
        self.at, self.end = {}, 0

    def place(self, name, shape):
        if name not in self.at:
            self.at[name] = (self.end, 4 * int(numpy.prod(shape)))
            self.end += -(-self.at[name][1] // 4096) * 4096
        return self.at[name]


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.initializers, self.inputs, self.outputs, self.names = weights, [], [], [], [], set()

    def add(self, op, inputs, count=1, domain="", absent=(), **attributes):
        """Gives the names of results, "" for absent ones."""
        outputs = ["" if i in absent else f"{len(self.nodes)}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(op, inputs, outputs, domain=domain, **attributes))
        return outputs if count > 1 else outputs[0]

    def weight(self, parameter, *shape):
        name = parameter + ".weight"
        if name not in self.names:
            self.names.add(name)
            offset, length = self.weights.place(name, shape)
            tensor = TensorProto(data_type=FLOAT, dims=shape, name=name, data_location=TensorProto.EXTERNAL)
            for key, value in dict(location="weights.bin", offset=offset, length=length).items():
                tensor.external_data.add(key=key, value=str(value))
            self.initializers.append(tensor)
        return name

    def constant(self, values, dtype=numpy.int64):
        name = f"constant.{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(numpy.asarray(values, dtype), name))
        return name

    def input(self, name, dtype, *shape):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name, value, dtype, *shape):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def reshape(self, x, *shape):
        return self.add("Reshape", [x, self.constant(shape)])

    def linear(self, x, name, features, width, scale=1.0):
        """x [rows, width]"""
        return self.add("Gemm", [x, self.weight(name, features, width)], transB=1, alpha=scale)

    def norm(self, x, name):
        return self.add("SimplifiedLayerNormalization", [x, self.weight(name, HIDDEN)], epsilon=1e-6, axis=-1)

    def sum_and_norm(self, x, y, name):
        """Of two rows [rows, hidden]: their sum's norm, and their sum."""
        normed, _, _, total = self.add("SkipSimplifiedLayerNormalization", [x, y, self.weight(name, HIDDEN)], 4, OWN, (1, 2), epsilon=1e-6)
        return normed, total

    def table(self, name, both):
        """What scores get for each distance, the key's place less the query's [heads, 2 * LONGEST - 1]."""
        distance = numpy.arange(2 * LONGEST - 1) - (LONGEST - 1)
        rows = self.add("Gather", [self.weight(name, BUCKETS, HEADS), self.constant(buckets(distance, both))])
        return self.add("Transpose", [rows], perm=[1, 0])

    def model(self):
        graph = helper.make_graph(self.nodes, "t5", self.inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(OWN, 1)], ir_version=8)


def buckets(distance, both):
    """Of keys' places less queries' (arXiv 1910.10683)."""
    half = 16 if both else 32
    first = (distance > 0) * half if both else 0
    n = numpy.abs(distance) if both else numpy.maximum(-distance, 0)
    exact = half // 2
    far = exact + (numpy.log(numpy.maximum(n, 1).astype(numpy.float32) / exact) / numpy.float32(numpy.log(FARTHEST / exact)) * (half - exact)).astype(numpy.int64)
    return first + numpy.where(n < exact, n, numpy.minimum(far, half - 1))


def feed_forward(g, x, stack, i):
    return g.linear(g.add("Relu", [g.linear(x, f"{stack}.{i}.fed.wi", INNER, HIDDEN)]), f"{stack}.{i}.fed.wo", HIDDEN, INNER)


def encoder(weights):
    g = Graph(weights)
    ids = g.input("ids", LONG, "sources", "tokens")
    tokens = g.add("Gather", [g.add("Shape", [ids]), g.constant(1)])
    at = g.add("Range", [g.constant(0), tokens, g.constant(1)])
    square = g.add("Sub", [g.add("Unsqueeze", [at, g.constant([0])]), g.add("Unsqueeze", [at, g.constant([1])])])
    bias = g.add("Gather", [g.table("encoder_bias", True), g.add("Add", [square, g.constant(LONGEST - 1)])], axis=1)
    bias = g.add("Unsqueeze", [bias, g.constant([0])])
    stream = g.reshape(g.add("Gather", [g.weight("shared", VOCABULARY, HIDDEN), ids]), -1, HIDDEN)
    x = g.norm(stream, "encoder.0.norm")
    shape = g.add("Concat", [g.add("Shape", [ids]), g.constant([3 * HIDDEN])], axis=0)
    for i in range(LAYERS):
        qkv = g.add("Split", [g.add("Reshape", [g.linear(x, f"encoder.{i}.qkv", 3 * HIDDEN, HIDDEN), shape])], 3, axis=2)
        seen = g.add("MultiHeadAttention", [*qkv, "", "", bias], domain=OWN, num_heads=HEADS, scale=1.0)
        x, stream = g.sum_and_norm(stream, g.linear(g.reshape(seen, -1, HIDDEN), f"encoder.{i}.o", HIDDEN, HIDDEN), f"encoder.{i}.fed.norm")
        x, stream = g.sum_and_norm(stream, feed_forward(g, x, "encoder", i), f"encoder.{i + 1}.norm" if i + 1 < LAYERS else "encoder_norm")
    states = g.add("Concat", [g.add("Shape", [ids]), g.constant([HIDDEN])], axis=0)
    g.output("states", g.add("Reshape", [x, states]), FLOAT, "sources", "tokens", HIDDEN)
    return g


def sources(weights):
    g = Graph(weights)
    states = g.input("states", FLOAT, "sources", "tokens", HIDDEN)
    shape = g.add("Concat", [g.add("Slice", [g.add("Shape", [states]), g.constant([0]), g.constant([2])]), g.constant([2, HEADS, SIZE])], axis=0)
    rows = g.reshape(states, -1, HIDDEN)
    for i in range(LAYERS):
        both = g.add("Reshape", [g.linear(rows, f"decoder.{i}.cross_kv", 2 * HIDDEN, HIDDEN), shape])
        both = g.add("Split", [g.add("Transpose", [both], perm=[2, 0, 3, 1, 4])], 2, axis=0)
        for kind, value in zip(("seen_keys", "seen_values"), both):
            g.output(f"{kind}.{i}", g.add("Squeeze", [value, g.constant([0])]), FLOAT, "sources", HEADS, "tokens", SIZE)
    return g


def steps(weights, beams):
    """The rows of a source look at its keys together."""
    g = Graph(weights)
    ids = g.input("ids", LONG, "rows")
    if beams:
        scores, parents = g.input("scores", FLOAT, "sources", beams), g.input("parents", LONG, "rows")
    seen = [[g.input(f"{kind}.{i}", FLOAT, "sources", HEADS, "tokens", SIZE) for kind in ("seen_keys", "seen_values")] for i in range(LAYERS)]
    past = [[g.input(f"past_{kind}.{i}", FLOAT, "rows", HEADS, "past", SIZE) for kind in ("keys", "values")] for i in range(LAYERS)]
    before = g.add("Slice", [g.add("Shape", [past[0][0]]), g.constant([2]), g.constant([3])])
    # Of the table's row for the new token: the distances from -before to 0.
    bias = g.add("Slice", [g.table("decoder_bias", False), g.add("Sub", [g.constant([LONGEST - 1]), before]), g.constant([LONGEST]), g.constant([1])])
    bias = g.add("Unsqueeze", [bias, g.constant([0, 2])])
    stream = g.add("Gather", [g.weight("shared", VOCABULARY, HIDDEN), ids])
    x = g.norm(stream, "decoder.0.norm")
    for i in range(LAYERS):
        qkv = g.add("Split", [g.reshape(g.linear(x, f"decoder.{i}.qkv", 3 * HIDDEN, HIDDEN), -1, 1, 3 * HIDDEN)], 3, axis=2)
        kept = [g.add("Gather", [p, "parents"], axis=0) for p in past[i]] if beams else past[i]
        out = g.add("MultiHeadAttention", [*qkv, "", "", bias, *kept], 3, OWN, num_heads=HEADS, scale=1.0)
        for kind, value in zip(("keys", "values"), out[1:]):
            g.output(f"{kind}.{i}", value, FLOAT, "rows", HEADS, "all", SIZE)
        x, stream = g.sum_and_norm(stream, g.linear(g.reshape(out[0], -1, HIDDEN), f"decoder.{i}.o", HIDDEN, HIDDEN), f"decoder.{i}.cross_norm")
        query = g.reshape(g.linear(x, f"decoder.{i}.cross_q", HIDDEN, HIDDEN), -1, beams or 1, HIDDEN)
        other = g.add("MultiHeadAttention", [query, *seen[i]], domain=OWN, num_heads=HEADS, scale=1.0)
        x, stream = g.sum_and_norm(stream, g.linear(g.reshape(other, -1, HIDDEN), f"decoder.{i}.cross_o", HIDDEN, HIDDEN), f"decoder.{i}.fed.norm")
        x, stream = g.sum_and_norm(stream, feed_forward(g, x, "decoder", i), f"decoder.{i + 1}.norm" if i + 1 < LAYERS else "decoder_norm")
    logits = g.linear(x, "shared", VOCABULARY, HIDDEN, HIDDEN**-0.5)
    if not beams:
        g.output("next", g.add("ArgMax", [logits], axis=1, keepdims=0), LONG, "rows")
        return g
    every = g.reshape(g.add("LogSoftmax", [logits], axis=1), -1, beams, VOCABULARY)
    every = g.reshape(g.add("Add", [every, g.add("Unsqueeze", [scores, g.constant([2])])]), -1, beams * VOCABULARY)
    best, which = g.add("TopK", [every, g.constant([beams])], 2, axis=1)
    g.output("best", best, FLOAT, "sources", beams)
    g.output("next", g.reshape(g.add("Mod", [which, g.constant(VOCABULARY)]), -1), LONG, "rows")
    source = g.add("Range", [g.constant(0), g.add("Gather", [g.add("Shape", [scores]), g.constant(0)]), g.constant(1)])
    first = g.add("Unsqueeze", [g.add("Mul", [source, g.constant(beams)]), g.constant([1])])
    g.output("from", g.reshape(g.add("Add", [g.add("Div", [which, g.constant(VOCABULARY)]), first]), -1), LONG, "rows")
    return g


def main():
    weights = Weights()
    graphs = {"encoder": encoder(weights), "sources": sources(weights), "greedy": steps(weights, 0), "beams": steps(weights, 4)}
    places = {name: offset for name, (offset, _) in weights.at.items()}
    with zipfile.ZipFile(sys.argv[1], "w") as out:
        def put(name, data):
            out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        for name, graph in graphs.items():
            put(name + ".onnx", graph.model().SerializeToString(deterministic=True))
        put("weights.json", json.dumps(places, separators=(",", ":")))


if __name__ == "__main__":
    main()
