"""Tests of PyTorch's contenders on the processor, where PyTorch is installed: python3 bench/gpu/test_torch.py.

What only a GPU has is stood in for: its library of attention, its layout of int4 weights, graphs."""

import contextlib
import importlib.util
import json
import pathlib
import struct
import sys
import tempfile
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import timings  # noqa: E402

INSTALLED = importlib.util.find_spec("torch") is not None
SMALL = {"batch": 2, "heads": 4, "queries": 40, "keys": 40, "m": 20, "n": 64, "k": 128, "tokens": 9, "rows": 7, "columns": 48, "parameters": 300}


class Answer:
    """What a row was answered."""

    def __init__(self, skipped=()):
        self.skipped, self.found, self.errors = set(skipped), {}, {}

    def measure(self, name, measurement):
        if name not in self.skipped:
            try:
                self.found[name] = measurement()
            except Exception as e:
                self.errors[name] = e


class Graph:
    """A recording of nothing: its outputs stay as they were when it was recorded."""

    def replay(self):
        pass


def on_processor(torch):
    """PyTorch's names of the GPU as ones of the processor."""
    torch.cuda.synchronize = lambda: None
    torch.cuda.empty_cache = lambda: None
    torch.cuda.CUDAGraph = Graph
    torch.cuda.Stream = type("Stream", (), {})
    torch.cuda.stream = torch.cuda.graph = lambda *_: contextlib.nullcontext()
    torch.Tensor.pin_memory = lambda self: self


def torch_tensors(outputs):
    import torch_timings

    return torch_timings.tensors(outputs)


def replayed(torch, call, copies):
    """As torch_timings.recorded, by calls that are made again."""
    outputs = [call(*operands) for operands in copies]

    def replay():
        for operands, output in zip(copies, outputs):
            for old, new in zip(torch_tensors([output]), torch_tensors([call(*operands)])):
                old.copy_(new)

    return replay, len(copies), outputs


def flexible(torch):
    """flex_attention of a few scores, which has a gradient on the processor too."""

    def call(q, k, v, score_mod, enable_gqa):
        heads, kv_heads = q.shape[1], k.shape[1]
        k, v = (t.repeat_interleave(heads // kv_heads, 1) if enable_gqa else t for t in (k, v))
        scores = (q.float() @ k.float().mT) / q.shape[-1] ** 0.5
        places = (torch.arange(size).view([-1 if i == d else 1 for i in range(4)]) for d, size in enumerate(scores.shape))
        return (torch.softmax(score_mod(scores, *places), -1) @ v.float()).to(q.dtype)

    return call


def small(row):
    kept = {name: min(value, SMALL[name]) if name in SMALL else value for name, value in row.items() if name != "small"}
    if row["kernel"].startswith("attention"):
        kept["kv_heads"] = 4 if row["kv_heads"] == row["heads"] else 2
        kept["queries"] = min(row["queries"], kept["keys"])
        kept["head_size"] = 32
    if row["kernel"].startswith("rotary"):
        kept["head_size"], kept["kv_heads"] = 16, min(2, row.get("kv_heads", 0))
    return kept


@unittest.skipUnless(INSTALLED, "PyTorch is not installed")
class TorchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import torch

        # Before names that it looks for are replaced.
        import torch._dynamo.convert_frame
        import torch.nn.attention.flex_attention as flex
        import torch_models
        import torch_timings

        cls.torch, cls.flex, cls.models, cls.timings = torch, flex, torch_models, torch_timings
        torch.manual_seed(1)
        on_processor(torch)
        torch_models.DEVICE = torch_timings.DEVICE = "cpu"
        torch_models.LEAST_SECONDS = torch_timings.LEAST_SECONDS = 1e-4
        torch_timings.ROTATED_BYTES = 1 << 16

    def kinds(self):
        """The first row of each kernel, dtype, format and kind of activations."""
        rows = json.loads((HERE / "shapes.json").read_text())["rows"]
        kinds = {}
        for row in rows:
            facts = ("kernel", "dtype", "format", "activations", "causal", "alibi", "softcap", "bias", "dropout")
            kinds.setdefault((*(row.get(f) for f in facts), row.get("heads") == row.get("kv_heads"), row.get("queries") == 1), row)
        return [small(row) for row in kinds.values()]

    def test_that_each_kind_of_row_is_timed_and_checked(self):
        self.replace(self.timings, "compiled", lambda torch, function: function)
        self.replace(self.timings, "recorded", replayed)
        self.replace(self.torch, "_convert_weight_to_int4pack", lambda codes, tiles: codes)
        self.replace(self.flex, "flex_attention", flexible(self.torch))
        # The processor's fast attention has no dropout: its plain one has.
        self.replace(self.torch.nn.attention, "sdpa_kernel", lambda backend: contextlib.nullcontext())
        answered = set()
        for row in self.kinds():
            answer = Answer(skipped={"torch-cudnn"})
            timings_of = self.timings.Timings(self.torch)
            ours = self.timings.work_of
            work_of = self.int4 if row.get("format", "").startswith("INT4") and row["activations"] == "EXACT" else ours
            with self.subTest(row=row["id"]), unittest.mock.patch.object(self.timings, "work_of", work_of):
                # Twice, as the harness asks.
                for _ in range(2):
                    timings_of.answer(row, answer)
                self.assertEqual({}, answer.errors)
                self.assertTrue(answer.found)
                for name, facts in answer.found.items():
                    self.assertNotIn("wrong", facts, name)
                    self.assertGreater(facts["seconds"], 0)
                    self.assertLess(facts["error"], 1)
                answered |= set(answer.found)
        names = {"torch-flash", "torch", "torch-bf16", "torch-int_mm-from-codes", "torch-int_mm-scaled-from-codes"}
        names |= {"torch-int_mm-quantising", "torch-int4pack_mm", "torch-eager", "torch-compiled", "torch-flash-deterministic"}
        names |= {"torch-flex", "torch-mask", "torch-fused"}
        self.assertEqual(names, answered)

    def replace(self, place, name, value):
        patch = unittest.mock.patch.object(place, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def int4(self, torch, row):
        """The processor's int4 product has a layout of its own, made of codes a number each."""
        work = self.timings.quantized_matmul(torch, row)
        operands, group = work.operands, int(row["format"].split(":")[1])

        def laid_out():
            x, w, _, scales, codes = operands()
            wide = torch.stack((codes >> 4, codes & 15), -1).flatten(1).int()
            return x, w, torch._convert_weight_to_int4pack_for_cpu(wide, 1), scales, codes

        work.calls["torch-int4pack_mm"] = lambda x, w, packed, scales, codes: torch._weight_int4pack_mm_for_cpu(x, packed, group, scales)
        work.operands = laid_out
        return work

    def test_that_calls_are_recorded_until_they_are_many(self):
        x = self.torch.ones(3)
        replay, together, outputs = self.timings.recorded(self.torch, lambda x: x + 1, [(x,), (2 * x,)])
        replay()
        self.assertEqual(self.timings.TOGETHER, together)
        self.assertEqual([2.0, 3.0], [float(y[0]) for y in outputs])

    def test_that_a_function_is_compiled_for_its_shapes(self):
        answer = Answer(skipped={"torch-eager"})
        row = {"id": "norm", "kernel": "rms_norm", "dtype": "BF16", "rows": 5, "columns": 64}
        self.timings.Timings(self.torch).answer(row, answer)
        self.assertEqual({}, answer.errors)
        self.assertNotIn("wrong", answer.found["torch-compiled"])

    def test_that_wrong_results_are_named(self):
        for kernel, operands in {"softmax": 1, "add": 2, "rms_norm": 1}.items():
            row = {"id": kernel, "kernel": kernel, "dtype": "F32", "rows": 3, "columns": 40}
            work = self.timings.work_of(self.torch, row)
            given = work.operands()
            output = work.calls["torch-eager"](*given)
            output[-1, -1] += 0.01 + abs(output[-1, -1]) * 0.01
            found = self.timings.check.Check(self.torch)
            work.checks("torch-eager")(found, given, output)
            self.assertIn("wrong", found.facts(), kernel)

    def test_that_an_encoder_is_timed_and_compared(self):
        torch = self.torch
        config = {"vocab_size": 50, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 24}
        config |= {"max_position_embeddings": 40, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "tiny").mkdir()
            (folder / "tiny" / "config.json").write_text(json.dumps(config))
            self.write(folder / "tiny" / "model.safetensors", self.weights(config))
            models = self.models.Models(torch, folder)
            for ragged in (False, True):
                row = {"id": f"tiny {ragged}", "model": "tiny", "dtype": "F32", "batch": 3, "length": 11, "ragged": ragged}
                answer = Answer()
                models.answer(row, answer)
                self.assertEqual({}, answer.errors)
                self.assertEqual({"torch", "torch-graph"}, set(answer.found) - {"transformers"})
                for facts in answer.found.values():
                    self.assertGreater(facts["seconds"], 0)
                # Transformers' model, which is not ours, says what is right.
                self.compare(models, row, folder / "wanted.bin")

    def compare(self, models, row, file):
        ids, mask = models.hosts
        for name in set(models.calls):
            given = None if not row["ragged"] else mask.long() if name == "transformers" else mask[:, None, None, :]
            with self.torch.inference_mode():
                hidden = models.calls[name](ids, given)[mask].float().flatten()
            file.write_bytes(struct.pack(f"<{hidden.numel()}f", *hidden.tolist()))
            answer = Answer()
            models.answer({**row, "compare": str(file)}, answer)
            self.assertEqual({}, answer.errors)
            for other, facts in answer.found.items():
                self.assertLess(facts["difference"], timings.BOUNDS["F32"], f"{other} beside {name}")

    def weights(self, config):
        random = lambda *shape: self.torch.randn(*shape) * 0.1
        hidden, wide = config["hidden_size"], config["intermediate_size"]
        tables = {"word": config["vocab_size"], "position": config["max_position_embeddings"], "token_type": 2}
        w = {f"embeddings.{name}_embeddings.weight": random(rows, hidden) for name, rows in tables.items()}
        norms, linears = ["embeddings.LayerNorm"], {}
        for i in range(config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}."
            norms += [layer + "attention.output.LayerNorm", layer + "output.LayerNorm"]
            linears |= {layer + "attention.self." + part: (hidden, hidden) for part in ("query", "key", "value")}
            linears |= {layer + "attention.output.dense": (hidden, hidden), layer + "intermediate.dense": (wide, hidden), layer + "output.dense": (hidden, wide)}
        for name in norms:
            w |= {name + ".weight": 1 + random(hidden), name + ".bias": random(hidden)}
        for name, shape in linears.items():
            w |= {name + ".weight": random(*shape), name + ".bias": random(shape[0])}
        return w

    def write(self, file, weights):
        header, data = {}, b""
        for name, tensor in weights.items():
            numbers = struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())
            header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(numbers)]}
            data += numbers
        words = json.dumps(header).encode()
        file.write_bytes(struct.pack("<Q", len(words)) + words + data)


if __name__ == "__main__":
    unittest.main()
