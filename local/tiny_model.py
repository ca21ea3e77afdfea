"""Write a tiny model of random weights: real inference, fast enough for tests.

    python local/tiny_model.py OUT.gguf

It has SmolLM2's tokenizer and chat template, so prompts are tokenised as by
the real model, and it always writes the same file. Its replies are random
English words, and they never end by themselves: set `max_tokens`.
Needs tests/requirements.txt and local/requirements.txt.
"""

import os
import sys

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import quantize

from model_server import packaged_model

SEED = 1
LAYERS = 2
WIDTH = 32  # one block of Q8_0
HEADS = 2
FEED_FORWARD = 64
CONTEXT = 8192
# Spread of the scores of the next token: wide enough for the likeliest words
# to differ from one token to the next.
SCORE_SPREAD = 3.0


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python local/tiny_model.py OUT.gguf")
    target = sys.argv[1]
    fields = GGUFReader(packaged_model()).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()

    # Written beside and renamed, so that no half of a file is ever found.
    writer = GGUFWriter(target + ".part", "llama")
    add_shape(writer, len(tokens))
    add_tokenizer(writer, fields)
    add_weights(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(target + ".part", target)


def add_shape(writer, vocabulary):
    writer.add_name("Tiny random weights")
    writer.add_vocab_size(vocabulary)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)


def add_tokenizer(writer, fields):
    for name, field in fields.items():
        if name.startswith("tokenizer."):
            kind, *of = field.types
            writer.add_key_value(name, field.contents(), kind, sub_type=of[-1] if of else None)


def add_weights(writer, tokens):
    random = numpy.random.default_rng(SEED)

    def matrix(rows, columns):
        return random.standard_normal((rows, columns), dtype=numpy.float32) / columns**0.5

    def add(name, weights):
        packed = quantize(weights, GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)

    def add_norm(name):
        writer.add_tensor(name, numpy.ones(WIDTH, dtype=numpy.float32))

    add("token_embd.weight", matrix(len(tokens), WIDTH))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"{block}.{name}.weight", matrix(WIDTH, WIDTH))
        for name in ("ffn_gate", "ffn_up"):
            add(f"{block}.{name}.weight", matrix(FEED_FORWARD, WIDTH))
        add(f"{block}.ffn_down.weight", matrix(WIDTH, FEED_FORWARD))
        add_norm(f"{block}.attn_norm.weight")
        add_norm(f"{block}.ffn_norm.weight")
    add_norm("output_norm.weight")
    # Rows of zeros are never among the likeliest: all but whole words, so that
    # no end of text and no half of a character turns up at random.
    words = numpy.array([[is_word(token)] for token in tokens])
    add("output.weight", numpy.where(words, matrix(len(tokens), WIDTH) * SCORE_SPREAD, 0))


def is_word(token):
    # The vocabulary spells a leading space as Ġ.
    return token.startswith("Ġ") and token[1:].isascii() and token[1:].isalpha()


if __name__ == "__main__":
    main()
