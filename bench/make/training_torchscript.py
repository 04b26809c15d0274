"""Writes the TorchScript programs that bench's suite `training` trains in DJL: a BERT that tells classes or hidden tokens, and a GPT-2, each
`forward(ids, mask, labels)` to the mean loss. Query, key and value are one product, attention is PyTorch's fused one, and a batch without
padding has no mask. Weights are zero and left out; bench's TorchScript class puts the real ones in. Names of parameters are Hugging Face's
with `__` for a dot."""
import sys
from typing import Optional
import torch
from torch import nn, Tensor
import torch.nn.functional as F
import torchscript

VOCABULARY, POSITIONS, CLASSES = 30522, 512, 2
GPT2_VOCABULARY, GPT2_POSITIONS = 50257, 1024


def parameters(module: nn.Module, **shapes):
    for name, shape in shapes.items():
        module.register_parameter(name, nn.Parameter(torch.empty(shape)))


class BertLayer(nn.Module):
    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.hidden, self.heads = hidden, heads
        parameters(
            self,
            attention__self__qkv__weight=(3 * hidden, hidden),
            attention__self__qkv__bias=(3 * hidden,),
            attention__output__dense__weight=(hidden, hidden),
            attention__output__dense__bias=(hidden,),
            attention__output__LayerNorm__weight=(hidden,),
            attention__output__LayerNorm__bias=(hidden,),
            intermediate__dense__weight=(4 * hidden, hidden),
            intermediate__dense__bias=(4 * hidden,),
            output__dense__weight=(hidden, 4 * hidden),
            output__dense__bias=(hidden,),
            output__LayerNorm__weight=(hidden,),
            output__LayerNorm__bias=(hidden,),
        )

    def forward(self, x: Tensor, bias: Optional[Tensor]) -> Tensor:
        b, s, h = x.shape[0], x.shape[1], self.hidden
        qkv = F.linear(x, self.attention__self__qkv__weight, self.attention__self__qkv__bias)
        q, k, v = qkv.view(b, s, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).reshape(b, s, h)
        a = F.linear(a, self.attention__output__dense__weight, self.attention__output__dense__bias)
        x = F.layer_norm(x + a, [h], self.attention__output__LayerNorm__weight, self.attention__output__LayerNorm__bias, 1e-12)
        y = F.gelu(F.linear(x, self.intermediate__dense__weight, self.intermediate__dense__bias))
        y = F.linear(y, self.output__dense__weight, self.output__dense__bias)
        return F.layer_norm(x + y, [h], self.output__LayerNorm__weight, self.output__LayerNorm__bias, 1e-12)


class Bert(nn.Module):
    def __init__(self, hidden: int, layers: int, heads: int):
        super().__init__()
        self.hidden = hidden
        parameters(
            self,
            embeddings__word_embeddings__weight=(VOCABULARY, hidden),
            embeddings__position_embeddings__weight=(POSITIONS, hidden),
            embeddings__token_type_embeddings__weight=(2, hidden),
            embeddings__LayerNorm__weight=(hidden,),
            embeddings__LayerNorm__bias=(hidden,),
        )
        self.layer = nn.ModuleList([BertLayer(hidden, heads) for _ in range(layers)])

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        x = F.embedding(ids, self.embeddings__word_embeddings__weight)
        x = x + self.embeddings__position_embeddings__weight[: ids.shape[1]] + self.embeddings__token_type_embeddings__weight[0]
        x = F.layer_norm(x, [self.hidden], self.embeddings__LayerNorm__weight, self.embeddings__LayerNorm__bias, 1e-12)
        bias: Optional[Tensor] = None
        if not bool(mask.all()):
            bias = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))[:, None, None, :]
        for layer in self.layer:
            x = layer(x, bias)
        return x


class Classifier(nn.Module):
    """labels [batch]"""

    def __init__(self, hidden: int, layers: int, heads: int):
        super().__init__()
        self.bert = Bert(hidden, layers, heads)
        parameters(self, pooler__weight=(hidden, hidden), pooler__bias=(hidden,), classifier__weight=(CLASSES, hidden), classifier__bias=(CLASSES,))

    def forward(self, ids: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        x = torch.tanh(F.linear(self.bert(ids, mask)[:, 0], self.pooler__weight, self.pooler__bias))
        return F.cross_entropy(F.linear(x, self.classifier__weight, self.classifier__bias), labels)


class MaskedLm(nn.Module):
    """labels [batch, tokens], -100 where they do not count"""

    def __init__(self, hidden: int, layers: int, heads: int):
        super().__init__()
        self.hidden = hidden
        self.bert = Bert(hidden, layers, heads)
        parameters(
            self,
            transform__dense__weight=(hidden, hidden),
            transform__dense__bias=(hidden,),
            transform__LayerNorm__weight=(hidden,),
            transform__LayerNorm__bias=(hidden,),
            bias=(VOCABULARY,),
        )

    def forward(self, ids: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        x = F.gelu(F.linear(self.bert(ids, mask), self.transform__dense__weight, self.transform__dense__bias))
        x = F.layer_norm(x, [self.hidden], self.transform__LayerNorm__weight, self.transform__LayerNorm__bias, 1e-12)
        logits = F.linear(x, self.bert.embeddings__word_embeddings__weight, self.bias)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))


class Gpt2Layer(nn.Module):
    """Weights are [in, out], as the files have them."""

    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.hidden, self.heads = hidden, heads
        parameters(
            self,
            ln_1__weight=(hidden,),
            ln_1__bias=(hidden,),
            attn__c_attn__weight=(hidden, 3 * hidden),
            attn__c_attn__bias=(3 * hidden,),
            attn__c_proj__weight=(hidden, hidden),
            attn__c_proj__bias=(hidden,),
            ln_2__weight=(hidden,),
            ln_2__bias=(hidden,),
            mlp__c_fc__weight=(hidden, 4 * hidden),
            mlp__c_fc__bias=(4 * hidden,),
            mlp__c_proj__weight=(4 * hidden, hidden),
            mlp__c_proj__bias=(hidden,),
        )

    def forward(self, x: Tensor, b: int) -> Tensor:
        """x [batch tokens, hidden]"""
        h = self.hidden
        s = x.shape[0] // b
        y = F.layer_norm(x, [h], self.ln_1__weight, self.ln_1__bias, 1e-5)
        qkv = torch.addmm(self.attn__c_attn__bias, y, self.attn__c_attn__weight)
        q, k, v = qkv.view(b, s, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b * s, h)
        x = x + torch.addmm(self.attn__c_proj__bias, a, self.attn__c_proj__weight)
        y = F.layer_norm(x, [h], self.ln_2__weight, self.ln_2__bias, 1e-5)
        y = F.gelu(torch.addmm(self.mlp__c_fc__bias, y, self.mlp__c_fc__weight), approximate="tanh")
        return x + torch.addmm(self.mlp__c_proj__bias, y, self.mlp__c_proj__weight)


class Gpt2(nn.Module):
    """labels are the ids; the mask is not used"""

    def __init__(self, hidden: int, layers: int, heads: int):
        super().__init__()
        self.hidden = hidden
        parameters(self, wte__weight=(GPT2_VOCABULARY, hidden), wpe__weight=(GPT2_POSITIONS, hidden))
        self.h = nn.ModuleList([Gpt2Layer(hidden, heads) for _ in range(layers)])
        parameters(self, ln_f__weight=(hidden,), ln_f__bias=(hidden,))

    def forward(self, ids: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        b, s = ids.shape[0], ids.shape[1]
        x = (F.embedding(ids, self.wte__weight) + self.wpe__weight[:s]).view(b * s, self.hidden)
        for layer in self.h:
            x = layer(x, b)
        x = F.layer_norm(x, [self.hidden], self.ln_f__weight, self.ln_f__bias, 1e-5)
        next = F.pad(labels, [0, 1], value=-100.0)[:, 1:].reshape(-1)
        return F.cross_entropy(F.linear(x, self.wte__weight), next)


def main():
    folder = sys.argv[1]
    for name, model in {
        "minilm": Classifier(384, 6, 12),
        "minilm-mlm": MaskedLm(384, 6, 12),
        "bert-base": Classifier(768, 12, 12),
        "gpt2": Gpt2(768, 12, 12),
    }.items():
        torchscript.save(torch.jit.script(model.train()), f"{folder}/training-{name}-torchscript.zip")


if __name__ == "__main__":
    main()
