"""Writes the TorchScript programs of single kernels that the benchmarks run beside Gatun's, as one zip: kernels_torchscript.py FILE"""
import io, sys, zipfile
from typing import Optional
import torch
from torch import nn
import torch.nn.functional as F

class Attention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v)

class CausalAttention(nn.Module):
    def forward(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

class Linear(nn.Module):
    def forward(self, x, weight):
        return F.linear(x, weight)

class Experts(nn.Module):
    """A layer of Mixtral: logits [tokens, experts], gate_up [experts, 2 * inner, hidden], down [experts, hidden, inner]."""
    def forward(self, x, logits, gate_up, down):
        weights, chosen = torch.softmax(logits, -1, dtype=torch.float32).topk(2)
        weights = weights / weights.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        for e in range(gate_up.size(0)):
            hits = torch.nonzero(chosen == e)
            rows = hits[:, 0]
            both = F.linear(x.index_select(0, rows), gate_up[e])
            half = both.size(1) // 2
            out = F.linear(F.silu(both[:, :half]) * both[:, half:2 * half], down[e])
            y.index_add_(0, rows, (out * weights[rows, hits[:, 1]].unsqueeze(1)).to(x.dtype))
        return y

class Narrow(nn.Module):
    """DJL cannot convert to bf16."""
    def forward(self, x):
        return x.to(torch.bfloat16)

class Wide(nn.Module):
    def forward(self, x):
        return x.to(torch.float32)

class Sample(nn.Module):
    """Sixteen rows, as all would be too many to compare."""
    def forward(self, x):
        return x[::max(1, x.size(0) // 16)].to(torch.float32)

class RowsSample(nn.Module):
    """The same of the rows of all matrices."""
    def forward(self, x):
        rows = x.reshape(-1, x.size(-1))
        return rows[::max(1, rows.size(0) // 16)].to(torch.float32)

class LayerNorm(nn.Module):
    def forward(self, x, weight, bias):
        return F.layer_norm(x, weight.shape, weight, bias, 1e-5)

class ResidualLayerNorm(nn.Module):
    def forward(self, x, weight, bias, residual):
        total = x + residual
        return F.layer_norm(total, weight.shape, weight, bias, 1e-5), total

class RmsNorm(nn.Module):
    def forward(self, x, weight):
        return F.rms_norm(x, weight.shape, weight, 1e-5)

class ResidualRmsNorm(nn.Module):
    def forward(self, x, weight, residual):
        total = x + residual
        return F.rms_norm(total, weight.shape, weight, 1e-5), total

class Softmax(nn.Module):
    def forward(self, x):
        return F.softmax(x, -1)

class Gelu(nn.Module):
    def forward(self, x):
        return F.gelu(x)

class GatedSilu(nn.Module):
    def forward(self, gate, up):
        return F.silu(gate) * up

class Rotary(nn.Module):
    """As transformers applies it: cosine and sine [tokens, 1, head_size] of each token."""
    def forward(self, x, cosine, sine):
        a, b = x.chunk(2, -1)
        return x * cosine + torch.cat((-b, a), -1) * sine

class Embedding(nn.Module):
    def forward(self, table, ids):
        return F.embedding(ids, table)

class Add(nn.Module):
    def forward(self, a, b):
        return a + b

class Int4Pack(nn.Module):
    """Codes [out, in] of 0 to 15 to the form that Int4Linear takes."""
    def forward(self, codes):
        return torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 2)

class Int4Linear(nn.Module):
    """Groups of 32 input features; scales and zeros [in / 32, out, 2], bf16."""
    def forward(self, x, weight, scales_and_zeros):
        return torch.ops.aten._weight_int4pack_mm_for_cpu(x, weight, 32, scales_and_zeros)

class Int8Linear(nn.Module):
    """fbgemm's product: weights of one scale a row, activations of one a tensor."""
    def __init__(self):
        super().__init__()
        self.packed = torch.ops.quantized.linear_prepack(quantized(torch.ones(1, 1)), None)

    @torch.jit.export
    def pack(self, weight):
        self.packed = torch.ops.quantized.linear_prepack(quantized(weight), None)
        return weight

    def forward(self, x):
        return torch.ops.quantized.linear_dynamic(x, self.packed, reduce_range=False)

def quantized(weight):
    scales = weight.abs().amax(1).to(torch.float64) / 127
    return torch.quantize_per_channel(weight, scales, torch.zeros_like(scales).to(torch.int64), 0, torch.qint8)

class Dx(nn.Module):
    """The gradient of a linear layer's input: dy [tokens, out] by weight [out, in]."""
    def forward(self, dy, weight):
        return torch.mm(dy, weight)

class DWeight(nn.Module):
    """The gradient of its weight: dy [tokens, out] and x [tokens, in]."""
    def forward(self, dy, x):
        return torch.mm(dy.t(), x)

class AttentionLse(nn.Module):
    def __init__(self, causal: bool):
        super().__init__()
        self.causal = causal
    def forward(self, q, k, v):
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, self.causal)

class AttentionBackward(nn.Module):
    def __init__(self, causal: bool):
        super().__init__()
        self.causal = causal
    def forward(self, q, k, v, output, lse, d_output):
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(d_output, q, k, v, output, lse, 0.0, self.causal)

class LayerNormSums(nn.Module):
    def forward(self, x, weight):
        _, mean, rstd = torch.native_layer_norm(x, weight.shape, weight, weight, 1e-5)
        return mean, rstd

class LayerNormBackward(nn.Module):
    def forward(self, dy, x, weight, mean, rstd):
        return torch.ops.aten.native_layer_norm_backward(dy, x, weight.shape, mean, rstd, weight, weight, [True, True, True])

class RmsNormSums(nn.Module):
    def forward(self, x):
        return torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)

class RmsNormBackward(nn.Module):
    """libtorch has no kernel for it: what its graph of F.rms_norm runs, at the least."""
    def forward(self, dy, x, weight, rstd):
        h = x * rstd
        g = dy * weight
        return (g - h * (g * h).mean(-1, keepdim=True)) * rstd, (dy * h).sum(0)

class SoftmaxBackward(nn.Module):
    def forward(self, dy, y):
        return torch.ops.aten._softmax_backward_data(dy, y, -1, y.dtype)

class GeluBackward(nn.Module):
    def forward(self, dy, x):
        return torch.ops.aten.gelu_backward(dy, x)

class GatedSiluBackward(nn.Module):
    def forward(self, dy, gate, up):
        return torch.ops.aten.silu_backward(dy * up, gate), dy * F.silu(gate)

class AdamW(nn.Module):
    """A first step in place, in the operations that torch.optim.AdamW makes for each tensor."""
    def forward(self, p, g, mean, square):
        p.mul_(1 - 0.01 * 0.01)
        mean.lerp_(g, 0.1)
        square.mul_(0.999).addcmul_(g, g, value=0.001)
        root = (square.sqrt() / 0.001 ** 0.5).add_(1e-8)
        p.addcdiv_(mean, root, value=-0.01 / 0.1)
        return p

class Adafactor(nn.Module):
    """A second step in place, in the operations of transformers' Adafactor, but for the parameter's norm, which no rate needs here."""
    def forward(self, p, g, row, column):
        kept = 1.0 - 2.0 ** -0.8
        update = g ** 2 + 1e-30
        row.mul_(kept).add_(update.mean(dim=-1), alpha=1.0 - kept)
        column.mul_(kept).add_(update.mean(dim=-2), alpha=1.0 - kept)
        factor = (row / row.mean(dim=-1, keepdim=True)).rsqrt_().unsqueeze(-1)
        update = torch.mul(factor, column.unsqueeze(-2).rsqrt())
        update.mul_(g)
        update.div_((update.norm(2) / update.numel() ** 0.5).clamp_(min=1.0))
        update.mul_(0.01)
        p.add_(p, alpha=-0.01 * 0.01)
        p.add_(-update)
        return p

programs = dict(attention=Attention(), causal_attention=CausalAttention(), linear=Linear(), experts=Experts(),
                narrow=Narrow(), wide=Wide(), sample=Sample(),
                layer_norm=LayerNorm(), residual_layer_norm=ResidualLayerNorm(),
                rms_norm=RmsNorm(), residual_rms_norm=ResidualRmsNorm(), softmax=Softmax(),
                gelu=Gelu(), gated_silu=GatedSilu(), rotary=Rotary(), add=Add(),
                embedding=Embedding(),
                int4_pack=Int4Pack(), int4_linear=Int4Linear(), int8_linear=Int8Linear(),
                rows_sample=RowsSample(), dx=Dx(), dweight=DWeight(),
                attention_lse=AttentionLse(False), causal_attention_lse=AttentionLse(True),
                attention_backward=AttentionBackward(False), causal_attention_backward=AttentionBackward(True),
                layer_norm_sums=LayerNormSums(), layer_norm_backward=LayerNormBackward(),
                rms_norm_sums=RmsNormSums(), rms_norm_backward=RmsNormBackward(), softmax_backward=SoftmaxBackward(),
                gelu_backward=GeluBackward(), gated_silu_backward=GatedSiluBackward(), adamw=AdamW(),
                adafactor=Adafactor())
with zipfile.ZipFile(sys.argv[1], "w") as out:
    for name, module in programs.items():
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(module), buffer)
        out.writestr(zipfile.ZipInfo(name + ".pt", (2026, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
