"""The tokens that NLLB adds to the model's pieces, as a tokenizer_config.json lists them: languages, then the mask. Without the list
transformers 5.18 adds the mask only, and every language is the unknown token."""

from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES


def added_tokens_decoder(pieces):
    """Of a SentencePiece model of so many pieces, whose first three stand for fairseq's first four tokens."""
    tokens = list(enumerate(["<s>", "<pad>", "</s>", "<unk>"])) + list(enumerate([*FAIRSEQ_LANGUAGE_CODES, "<mask>"], pieces + 1))
    return {str(i): dict(content=t, lstrip=t == "<mask>", rstrip=False, normalized=t == "<mask>", single_word=False, special=True) for i, t in tokens}
