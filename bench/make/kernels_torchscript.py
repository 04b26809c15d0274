"""Writes the TorchScript programs of single kernels that the benchmarks run beside Gatun's."""
import pathlib, sys
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

class Narrow(nn.Module):
    """DJL cannot convert to bf16."""
    def forward(self, x):
        return x.to(torch.bfloat16)

class Wide(nn.Module):
    def forward(self, x):
        return x.to(torch.float32)

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

folder = pathlib.Path(sys.argv[1])
for name, module in dict(attention=Attention(), causal_attention=CausalAttention(), linear=Linear(),
                         narrow=Narrow(), wide=Wide(),
                         int4_pack=Int4Pack(), int4_linear=Int4Linear(), int8_linear=Int8Linear()).items():
    torch.jit.script(module).save(str(folder / f"{name}.pt"))
