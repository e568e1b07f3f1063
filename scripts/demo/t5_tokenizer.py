"""A small tokenizer.json laid out as T5's: Unigram, `</s>` at the end, a compiled normaliser.

The pieces are counted, not trained: a trainer leaves ties in the order of a hash table.
"""
from __future__ import annotations

import collections
import json
import math
import tempfile
import unicodedata
from pathlib import Path

import texts

SPECIAL = ("<pad>", "</s>", "<unk>")  # ids 0, 1, 2
EXTRA_IDS = 4  # <extra_id_3> to <extra_id_0> at the end; T5 has 100
SPACE = "\u2581"
# What the normaliser of T5 (nmt_nfkc) does, on the characters that a prompt of ours may hold: its whole table is 240 kB.
NORMALISED = [*range(0x00A0, 0x0180), *range(0x2000, 0x2070), *range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F)]


def _rules() -> str:
    """sentencepiece's TSV of rules: code points of what is replaced, a tab, code points of what replaces it."""
    lines = ["9\t20", "A\t20", "D\t20"]  # white space is a space
    for code in NORMALISED:
        replaced = unicodedata.normalize("NFKC", chr(code))
        if unicodedata.category(chr(code)) in ("Cc", "Cf"):
            replaced = " "
        if replaced != chr(code):
            lines.append(f"{code:X}\t" + " ".join(f"{ord(c):X}" for c in replaced))
    for letter in "aeiouAEIOUnc":  # a letter with a combining accent behind it is one character
        for accent in "\u0300\u0301\u0302\u0303\u0308\u0327":
            one = unicodedata.normalize("NFKC", letter + accent)
            if len(one) == 1:
                lines.append(f"{ord(letter):X} {ord(accent):X}\t{ord(one):X}")
    return "\n".join(lines) + "\n"


def _charsmap() -> bytes:
    """The rules compiled as in T5's tokenizer.json."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    with tempfile.TemporaryDirectory() as folder:
        text, rules, model = (Path(folder) / name for name in ("text.txt", "rules.tsv", "spm"))
        text.write_text("\n".join(texts.sentences(100, seed=0)), encoding="utf-8")
        rules.write_text(_rules(), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(model), vocab_size=100,
                                                 normalization_rule_tsv=str(rules), minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(model.with_suffix(".model").read_bytes())
    return proto.normalizer_spec.precompiled_charsmap


def _pieces(count: int) -> list[tuple[str, float]]:
    """`count` pieces with the logarithm of their share: every character, then the commonest words and their parts."""
    counts: collections.Counter[str] = collections.Counter()
    for sentence in texts.sentences(300, seed=0):
        for word in sentence.split():
            word = SPACE + word
            counts[word] += len(word)  # a long piece saves more tokens
            for length in (1, 2, 3):
                counts.update(word[i:i + length] for i in range(len(word) - length + 1))
    characters = sorted({c for c in counts if len(c) == 1} | {chr(c) for c in range(0x21, 0x7F)} | {SPACE})
    longer = sorted((piece for piece in counts if len(piece) > 1), key=lambda p: (-counts[p], p))
    total = sum(counts.values())
    chosen = characters + longer[:count - len(characters)]
    scored = [(p, round(math.log(max(counts[p], 0.1) / total), 4)) for p in chosen]
    return sorted(scored, key=lambda x: (-x[1], x[0]))


def write_tokenizer(path: Path, size: int) -> None:
    """Write a tokenizer with `size` ids."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    pieces = [(token, 0.0) for token in SPECIAL] + _pieces(size - len(SPECIAL) - EXTRA_IDS)
    tok = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    tok.normalizer = normalizers.Precompiled(_charsmap())
    tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tok.decoder = decoders.Metaspace()
    tok.add_special_tokens(list(SPECIAL) + [AddedToken(f"<extra_id_{i}>") for i in reversed(range(EXTRA_IDS))])
    end = SPECIAL.index("</s>")
    tok.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>",
                                                       special_tokens=[("</s>", end)])
    if tok.get_vocab_size() != size or tok.encode("").ids != [end]:
        raise ValueError(f"the tokenizer has {tok.get_vocab_size()} tokens, not {size}, or does not end with </s>")
    # the library's own pretty form changes with its version; ours does not
    path.write_text(json.dumps(json.loads(tok.to_str()), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
