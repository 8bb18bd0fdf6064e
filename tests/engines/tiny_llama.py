"""A real engine with a tiny model: llama.cpp's own server (from the wheel `xllamacpp`) on random weights.

    tiny_llama.py --model-file FILE --host HOST --port PORT --alias NAME

The model file is written when it does not exist: two layers of the Llama architecture, 64 wide, with a vocabulary of
single bytes and two-letter syllables. What it says is noise; how it says it is llama.cpp's.
"""

import argparse
import itertools
import os
import signal
import tempfile

import gguf
import numpy
import xllamacpp

LAYERS, WIDTH, FEED_FORWARD, HEADS, CONTEXT = 2, 64, 128, 4, 4096


def vocabulary():
    """Tokens, scores and kinds of a SentencePiece vocabulary that can spell every byte."""
    control = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", gguf.TokenType.CONTROL), ("</s>", gguf.TokenType.CONTROL)]
    single_bytes = [(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    syllables = ["".join(pair) for pair in itertools.product(letters, "aeiou")]
    words = list(letters) + syllables + ["\u2581"] + [f"\u2581{syllable}" for syllable in syllables]
    tokens = control + single_bytes + [(word, gguf.TokenType.NORMAL) for word in words]
    scores = [-float(number) for number in range(len(tokens))]
    return [token for token, _ in tokens], scores, [kind for _, kind in tokens]


def write_model(path):
    """Writes the model beside `path` and renames it, so that a half-written file is never used."""
    tokens, scores, kinds = vocabulary()
    random = numpy.random.default_rng(7)

    def weights(*shape):
        return (random.standard_normal(shape) * 0.05).astype(numpy.float32)

    handle, unfinished = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".unfinished")
    os.close(handle)
    writer = gguf.GGUFWriter(unfinished, "llama")
    writer.add_name("tiny-random-llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
    writer.add_tensor("output.weight", weights(len(tokens), WIDTH))
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, dtype=numpy.float32))
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", weights(WIDTH, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_gate.weight", weights(FEED_FORWARD, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_up.weight", weights(FEED_FORWARD, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", weights(WIDTH, FEED_FORWARD))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", numpy.ones(WIDTH, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(unfinished, path)


def serve(arguments):
    """Serves until SIGTERM or SIGINT."""
    params = xllamacpp.CommonParams()
    params.model.path = arguments.model_file
    params.model_alias = {arguments.alias}
    params.hostnames = [arguments.host]
    params.cache_prompt = False
    params.port = arguments.port
    params.n_ctx = CONTEXT
    params.n_parallel = 4
    params.cpuparams.n_threads = 1
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    print(f"llama.cpp serves {arguments.alias} at {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-file", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--alias", required=True)
    arguments = parser.parse_args()
    if not os.path.exists(arguments.model_file):
        write_model(arguments.model_file)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(arguments)


if __name__ == "__main__":
    main()
