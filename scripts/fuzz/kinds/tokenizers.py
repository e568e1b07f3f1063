"""Tokenizers that are made to break, each under CLAP's text tower or MusicGen's encoder."""
from __future__ import annotations

import base64
import json
import struct

import mangle
from case import Case
from lab import Lab

COUNT, CI_COUNT = 400, 140

MUST_BE_REFUSED = "dropout"
"""What is not determined by its inputs, whatever two runs give."""


def _deep(depth: int, what: str, around) -> mangle.Raw:
    return mangle.Raw(f'{{"type":"Sequence","{what}":[' * depth + json.dumps(around) + "]}" * depth)


def _charsmap(trie_bytes: int, trie: bytes = b"", rest: bytes = b"") -> dict:
    """A precompiled map that says how long its trie is."""
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(struct.pack("<I", trie_bytes % 2**32) + trie + rest).decode()}


def _sequence(what: str, key: str, parts: list) -> dict:
    return {what: {"type": "Sequence", key: parts}}


def _doubling(pattern: str) -> dict:
    return {"type": "Replace", "pattern": {"String": pattern}, "content": pattern * 2}


def _template(token: str, special: dict) -> dict:
    return {"post_processor": {"type": "TemplateProcessing",
                               "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": token, "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": special}}


def _normalizer(**fields) -> dict:
    return {"normalizer": fields}


def _replace(kind: str, pattern: str, content: str) -> dict:
    """`kind` is String or Regex."""
    return _normalizer(type="Replace", pattern={kind: pattern}, content=content)


def _split(kind: str, pattern: str, behavior: str = "Isolated", invert: bool = False) -> dict:
    return {"pre_tokenizer": {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}}


def _unigram(unk_id: int | None, *vocab: list) -> dict:
    return {"model": {"type": "Unigram", "unk_id": unk_id, "vocab": list(vocab), "byte_fallback": False}}


def _word_piece(unk: str, prefix: str, most: int) -> dict:
    return {"model": {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": unk, "continuing_subword_prefix": prefix, "max_input_chars_per_word": most}}


def _added(*tokens: tuple[int, str]) -> dict:
    flags = {"single_word": False, "lstrip": True, "rstrip": True, "normalized": True, "special": False}
    return {"added_tokens": [{"id": number, "content": content, **flags} for number, content in tokens]}


def _padding(strategy, multiple: int | None) -> dict:
    return {"padding": {"strategy": strategy, "direction": "Right", "pad_to_multiple_of": multiple, "pad_id": 1, "pad_type_id": 0,
                        "pad_token": "<pad>"}}


def _truncation(length: int, stride: int, strategy: str = "LongestFirst", direction: str = "Right") -> dict:
    return {"truncation": {"max_length": length, "strategy": strategy, "stride": stride, "direction": direction}}


def _model(base: dict, **changes) -> dict:
    return {"model": {**base["model"], **changes}}


def crafted(base: dict) -> dict[str, object]:
    """By name: changes of top-level keys, or whole bytes."""
    bpe = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
           "byte_fallback": False, "ignore_merges": False, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    whole = json.dumps(base).encode()
    found: dict[str, object] = {}
    for key in ("decoder", "model", "normalizer", "pre_tokenizer", "post_processor", "added_tokens"):
        found |= {f"cut {cut} bytes into its {key}": whole[:whole.find(f'"{key}"'.encode()) + len(key) + cut] for cut in (3, 5, 12, 20)}
    found |= {f"the bytes {text}": text.encode() for text in ('{"decoder":"', '{"decoder":', '{"model":"', '{"normalizer":"', '{"pre_tokenizer":{"type":"',
                                                             '{"post_processor":["', '{"added_tokens":[{"', "{", "[", "", "null", '""', "{}", "\x00", "\ufeff{}")}
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "add_prefix_space": True, "use_regex": True}
    for depth in (100, 127, 130, 1000, 100_000):
        found[f"{depth} normalizers deep"] = {"normalizer": _deep(depth, "normalizers", {"type": "Lowercase"})}
        found[f"{depth} pre-tokenizers deep"] = {"pre_tokenizer": _deep(depth, "pretokenizers", {"type": "Whitespace"})}
        found[f"{depth} decoders deep"] = {"decoder": _deep(depth, "decoders", {"type": "Fuse"})}
        found[f"{depth} processors deep"] = {"post_processor": _deep(depth, "processors", byte_level)}
        found[f"{depth} lists deep"] = ("[" * depth + "]" * depth).encode()
    found |= {
        "a long prefix of subwords": {"model": {**bpe, "continuing_subword_prefix": "#" * 20}},
        "a prefix longer than the merged": {"model": {**bpe, "continuing_subword_prefix": "abcdef", "merges": [["a", "b"], ["ab", "a"]]}},
        "a prefix that cuts a letter": {"model": {**bpe, "vocab": {"a": 0, "ü": 1, "aü": 2}, "merges": [["a", "ü"]], "continuing_subword_prefix": "x"}},
        "merges without a vocabulary": {"model": {**bpe, "vocab": {}}},
        "merges of unknown tokens": {"model": {**bpe, "merges": [["x", "y"]]}},
        "merges into unknown tokens": {"model": {**bpe, "merges": [["b", "a"]]}},
        "merges of one part": {"model": {**bpe, "merges": [["a"]]}},
        "merges of three parts": {"model": {**bpe, "merges": [["a", "b", "c"]]}},
        "merges of a word": {"model": {**bpe, "merges": ["ab"]}},
        "merges of four words": {"model": {**bpe, "merges": ["a b a b"]}},
        "empty merges": {"model": {**bpe, "merges": [["", ""]]}},
        "an id beyond the table": {"model": {**bpe, "vocab": {"a": 0, "b": 4294967295, "ab": 2}}},
        "an id beyond the model": {"model": {**bpe, "vocab": {"a": 100000, "b": 100001, "ab": 100002}}},
        "an id of 64 bits": {"model": {**bpe, "vocab": {"a": 0, "b": 18446744073709551615, "ab": 2}}},
        "two tokens of one id": {"model": {**bpe, "vocab": {"a": 0, "b": 0, "ab": 0}}},
        "an unknown token that is missing": {"model": {**bpe, "unk_token": "<nobody>"}},
        "bytes as a fallback without bytes": {"model": {**bpe, "byte_fallback": True, "unk_token": "a"}},
        "dropout": _model(base, dropout=0.5) if base["model"]["type"] == "BPE" else {"model": {**bpe, "dropout": 0.5}},
        "dropout of all": {"model": {**bpe, "dropout": 1.0}},
        "dropout beyond all": {"model": {**bpe, "dropout": 7.5}},
        "dropout of nothing": {"model": {**bpe, "dropout": 0.0}},
        "a model of words": {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "nobody"}},
        "word pieces of no length": _word_piece("a", "", 0),
        "word pieces without the unknown": _word_piece("[UNK]", "##", 100),
        "unigrams without any": _unigram(0),
        "unigrams, unknown beyond": _unigram(99, ["a", 0.0]),
        "unigrams without an unknown": _unigram(None, ["a", -1.0]),
        "unigrams of infinite scores": _unigram(0, ["a", mangle.Raw("-1e308")], ["b", mangle.Raw("1e308")], ["ab", mangle.Raw("1e400")]),
        "an empty unigram": _unigram(0, ["", 0.0], ["a", -1.0]),
        "a model that is none": {"model": {"type": "Nothing"}},
        "replaces nothing": _replace("String", "", "x"),
        "replaces nothing by nothing": _replace("String", "", ""),
        "replaces by an empty expression": _replace("Regex", "", "xy"),
        "replaces everything by a lot": _replace("Regex", ".", "x" * 1_000_000),
        "an expression that goes back for ever": _replace("Regex", "(a*)*(b*)*(c|d)*\\1$", ""),
        "an expression that is none": _replace("Regex", "(((", ""),
        "an expression without end": _split("Regex", "(" * 5000 + ")" * 5000),
        "an expression of great numbers": _split("Regex", "(?:(?:a{1000}){1000}){1000}"),
        "splits at nothing": _split("String", ""),
        "splits at a nothing of an expression": _split("Regex", "", "Removed", True),
        "prepends a lot": {"normalizer": {"type": "Prepend", "prepend": "x" * 3_000_000}},
        "a charsmap without base64": _normalizer(type="Precompiled", precompiled_charsmap="?!"),
        "an empty charsmap": _normalizer(type="Precompiled", precompiled_charsmap=""),
        "a charsmap of three bytes": _normalizer(type="Precompiled", precompiled_charsmap="AAAA"),
        "a charsmap that asks for 4 GB": {"normalizer": _charsmap(2**32 - 4)},
        "a charsmap that asks for 8.6 GB": {"normalizer": _charsmap(2**32 - 1, bytes(64))},
        "a charsmap that asks for half": {"normalizer": _charsmap(2**31)},
        "a charsmap of an odd size": {"normalizer": _charsmap(7, bytes(7))},
        "a charsmap that points outside": {"normalizer": _charsmap(64, b"\xff" * 64, b"abc")},
        "a charsmap that goes in circles": {"normalizer": _charsmap(1024, struct.pack("<256I", *([0x00000400] * 256)), b"a")},
        "a charsmap of no letters": {"normalizer": _charsmap(1024, struct.pack("<256I", *range(256)), b"\xff\xfe\x00")},
        "a charsmap without text": {"normalizer": _charsmap(16, struct.pack("<4I", 1 << 31, 1 << 8, 0x80000001, 0xffffffff))},
        "a template of a missing token": _template("<nobody>", {}),
        "a template of a token without ids": _template("</s>", {"</s>": {"id": "</s>", "ids": [], "tokens": []}}),
        "a template of a token beyond": _template("</s>", {"</s>": {"id": "</s>", "ids": [4000000000], "tokens": ["</s>"]}}),
        "a template of a million ids": _template("</s>", {"</s>": {"id": "</s>", "ids": [1] * 300_000, "tokens": ["</s>"] * 300_000}}),
        "a template of nothing": {"post_processor": {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {}}},
        "40 doubling normalizers": _sequence("normalizer", "normalizers", [_doubling(" ")] * 40),
        "40 that double a letter": _sequence("normalizer", "normalizers", [_doubling("e")] * 40),
        "12 that take a thousand for one": _sequence("normalizer", "normalizers", [{"type": "Replace", "pattern": {"String": "e"}, "content": "e" * 1000}] * 12),
        "100,000 normalizers": _sequence("normalizer", "normalizers", [{"type": "NFC"}] * 100_000),
        "a truncation to nothing": _truncation(0, 0),
        "a stride beyond the length": _truncation(4, 100),
        "a truncation to 64 bits": _truncation(2**64 - 1, 2**64 - 1, "OnlySecond", "Left"),
        "padding to a billion": _padding({"Fixed": 1_000_000_000}, None),
        "padding to a multiple of nothing": _padding("BatchLongest", 0),
        "padding to a multiple of a billion": _padding("BatchLongest", 1_000_000_000),
        "an empty added token": _added((0, "")),
        "an added token beyond": _added((4294967295, "sweet")),
        "20,000 added tokens": _added(*((k, f"t{k}") for k in range(20_000))),
        "a metaspace of two letters": {"pre_tokenizer": {"type": "Metaspace", "replacement": "ab", "prepend_scheme": "always", "split": True}},
        "an old metaspace": {"pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": False, "prepend_scheme": "always", "split": True}},
        "fixed lengths of nothing": {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
        "another version": {"version": "9.9"},
        "roberta without its tokens": {"post_processor": {"type": "RobertaProcessing", "sep": ["nobody", 4000000000],
                                                           "cls": ["nobody", 4000000000], "trim_offsets": True, "add_prefix_space": True}},
        "a decoder of nothing": {"decoder": {"type": "Strip", "content": "x", "start": 18446744073709551615, "stop": 18446744073709551615}},
        "a decoder that is text": {"decoder": "text"},
    }
    return found


def attack(case: Case) -> None:
    count = len(crafted({"model": {"type": ""}}))
    kind = "clap" if (case.turn + case.turn // count) % 2 == 0 else "musicgen"
    source = {"clap": "inputs/tokenizer.json", "musicgen": "inputs/musicgen/tokenizer.json"}[kind]
    case.take(source, "inputs/texts.txt", "models")
    path = case.work / source
    base = json.loads(path.read_bytes())
    found = crafted(base)
    names = list(found)
    chosen = [names[case.turn % len(names)]]
    if case.number >= 2 * len(names):  # after each under either model: two at once
        chosen.append(case.rng.choice(names))
    case.what = f"{kind}: " + " and ".join(chosen)
    out, changed = None, dict(base)
    for name in chosen:
        if isinstance(found[name], bytes):
            out = found[name]
        else:
            changed |= found[name]
    path.write_bytes(mangle.dumps(changed).encode() if out is None else out)
    model = {"clap": "inputs/630k-audioset-best.pt", "musicgen": "inputs/musicgen"}[kind]
    card = case.card("mine", case.lab.work / model, source, kind)

    outs = ("a", "b") if kind == "musicgen" else ("a.csv", "b.csv")
    results = []
    for target in outs:
        command = Lab.embed(target, card) if kind == "clap" else Lab.generate(target, card)
        ended = case.harness(*command, writes=[target])
        if ended.code != 0:
            return
        if MUST_BE_REFUSED in chosen and out is None:
            case.fault("taken, and is not determined by its inputs", ended)
        made = [case.work / target] if kind == "clap" else sorted((case.work / target).glob("*.wav"))
        results.append([p.read_bytes() for p in made])
    if results[0] != results[1]:
        case.fault("two runs give two results")
