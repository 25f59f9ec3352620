"""Makes the data and the model folder of this example out of Python's own standard library.

    python prepare.py

Nothing is downloaded and nothing but Python is needed. It writes, beside itself:

    data/docstrings.jsonl   what the library says about its modules, classes and functions
    data/comments.jsonl     what its authors say to each other in comments
    data/model/             a small Qwen2 model as a config.json, without weights, and a byte-level
                            BPE tokenizer trained on the docstrings
"""

import ast
import json
import re
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

HERE = Path(__file__).parent
SKIP = {"test", "tests", "idlelib", "site-packages", "dist-packages", "lib2to3", "__pycache__"}
MERGES = 150
END = "<|endoftext|>"
Pair = tuple[str, str]


def main() -> None:
    sources = list(modules(Path(sysconfig.get_path("stdlib"))))
    docs = unique(text for source in sources for text in docstrings(source))
    notes = unique(text for source in sources for text in comments(source))
    write(HERE / "data/docstrings.jsonl", docs)
    write(HERE / "data/comments.jsonl", notes)
    vocabulary, merges = train_bpe(docs)
    write_model(HERE / "data/model", vocabulary, merges)
    print(f"{len(docs)} docstrings, {len(notes)} comments, {len(vocabulary)} tokens: see data/")


def modules(library: Path) -> Iterator[str]:
    for path in sorted(library.rglob("*.py")):
        if SKIP.isdisjoint(path.relative_to(library).parts):
            try:
                yield path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def docstrings(source: str) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def comments(source: str) -> Iterator[str]:
    """Blocks of comment lines, each as one text."""
    lines = (line.strip() for line in source.splitlines())
    for is_comment, block in groupby(lines, key=lambda line: line.startswith("#")):
        if is_comment:
            yield " ".join(line.lstrip("#!: ") for line in block)


def unique(texts: Iterator[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if len(text) >= 60]


def write(path: Path, texts: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def byte_symbols() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte: itself if it can be seen, else one from 256 on."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    seen += range(ord("®"), ord("ÿ") + 1)
    hidden = (byte for byte in range(256) if byte not in seen)
    return {byte: chr(byte) for byte in seen} | {b: chr(256 + n) for n, b in enumerate(hidden)}


def train_bpe(texts: list[str]) -> tuple[list[str], list[Pair]]:
    """Byte-pair encoding (arXiv 1508.07909): the most frequent pair becomes a token, repeatedly."""
    symbols = byte_symbols()
    counts = count_words(texts)
    words = [[symbols[byte] for byte in word.encode()] for word in counts]
    weights = list(counts.values())
    frequency: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in pairwise(word):
            frequency[pair] += weights[index]
            places[pair].add(index)
    merges: list[Pair] = []
    for _ in range(MERGES):
        best = max(frequency.items(), key=itemgetter(1, 0))[0]
        merges.append(best)
        for index in places.pop(best):
            for pair in pairwise(words[index]):
                frequency[pair] -= weights[index]
            words[index] = joined(words[index], best)
            for pair in pairwise(words[index]):
                frequency[pair] += weights[index]
                places[pair].add(index)
        del frequency[best]
    return [END, *symbols.values(), *("".join(pair) for pair in merges)], merges


def count_words(texts: list[str]) -> Counter[str]:
    """How often each word occurs, with the blank before it; what occurs once teaches nothing."""
    counts = Counter(word for text in texts for word in re.findall(r" ?\w+| ?[^\s\w]+", text))
    return Counter({word: count for word, count in counts.items() if count > 1})


def joined(word: list[str], pair: Pair) -> list[str]:
    """The word with every `pair` in it as one symbol."""
    out: list[str] = []
    for symbol in word:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def write_model(folder: Path, vocabulary: list[str], merges: list[Pair]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ids = {token: number for number, token in enumerate(vocabulary)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": END, "special": True, **plain}],
        "pre_tokenizer": {**byte_level, "trim_offsets": True},
        "decoder": {**byte_level, "trim_offsets": True},
        "model": {"type": "BPE", "vocab": ids, "merges": [list(pair) for pair in merges]},
    }
    config = {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "vocab_size": len(vocabulary),
        "hidden_size": 96,
        "intermediate_size": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END}
    for name, content in (
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", settings),
        ("config.json", config),
    ):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
