#!/usr/bin/env python3
"""Makes the files of this folder from their sources: `build.py PROMPTS LENGTHS_CSV`.

PROMPTS is a folder with openorca-100.jsonl, mt-bench-80.jsonl, oasst-en-100.jsonl, gsm8k-test-1319.jsonl and
humaneval-164.jsonl (README.md says where they come from); LENGTHS_CSV has the columns input_len and output_len.
The output is the same, byte for byte, whenever the input is.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
GSM8K_PROMPTS = 300


def main(prompts: Path, lengths: Path) -> None:
    write("standard-v1.jsonl", "".join(f"{line}\n" for line in dataset_lines(prompts)))
    write("lengths-sharegpt.csv", lengths_csv(lengths))


def dataset_lines(folder: Path):
    for source, prompt in dataset(folder):
        yield json.dumps({"prompt": prompt.strip(), "source": source}, ensure_ascii=False)


def dataset(folder: Path):
    for row in rows(folder / "openorca-100.jsonl"):
        yield "openorca", row["prompt"]
    for row in rows(folder / "mt-bench-80.jsonl"):
        yield "mt-bench", row["turns"][0]
    for row in rows(folder / "oasst-en-100.jsonl"):
        yield "oasst", next(turn["content"] for turn in row["conversation"] if turn["role"] == "user")
    for row in rows(folder / "gsm8k-test-1319.jsonl")[:GSM8K_PROMPTS]:
        yield "gsm8k", row["prompt"]
    for row in rows(folder / "humaneval-164.jsonl"):
        yield "humaneval", row["prompt"]


def rows(path: Path) -> list:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def lengths_csv(path: Path) -> str:
    """Keeps what serving benchmarks usually keep: both at least 4, input at most 1,024, sum at most 2,048."""
    with path.open(newline="") as file:
        pairs = [(int(row["input_len"]), int(row["output_len"])) for row in csv.DictReader(file)]
    kept = [pair for pair in pairs if min(pair) >= 4 and pair[0] <= 1024 and sum(pair) <= 2048]
    return "input_len,output_len\n" + "".join(f"{tokens_in},{tokens_out}\n" for tokens_in, tokens_out in kept)


def write(name: str, text: str) -> None:
    content = text.encode("utf-8")
    (HERE / name).write_bytes(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {name}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
