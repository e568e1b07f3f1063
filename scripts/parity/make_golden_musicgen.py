"""Make tests/golden/musicgen and tests/data/musicgen_sharded: what transformers computes from small MusicGen folders.

    python scripts/parity/make_golden_musicgen.py [--demo assets/demo]

    pip install torch==2.11.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0

All in float32 on one CPU thread with eager attention, by transformers' own code; tests/golden/musicgen/README.md lists the
tensors. Run scripts/demo/make_demo.py first.
"""
from __future__ import annotations

import argparse
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "demo"))

import golden_file
import musicgen_small

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "transformers", "tokenizers")
SEED = 1234  # of the random codes
TEACHER_STEPS = 12
NEW_TOKENS = 24
GUIDANCE = 3.0
MARGIN = 3e-3  # a greedy choice closer than this could fall otherwise by rounding alone
TEXTS = [
    "sweet music, ambient for fine restaurant",
    "A warm piano by the sea, soft strings & 84 bpm!",
    "techno",
    # longer than 128 tokens: T5's buckets of distances end there
    " ".join(["The violin plays at midnight, the cello plays in the rain, then a slow organ before sunrise;"] * 9),
    "",
]
GENERATED = [0, 1, 2, 4]  # of TEXTS


def tokenize(path: Path, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask [texts, tokens], padded on the right with 0, as MusicgenProcessor(padding=True) does."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_padding(pad_id=0, pad_token="<pad>")
    encoded = tokenizer.encode_batch(texts)
    return torch.tensor([e.ids for e in encoded]), torch.tensor([e.attention_mask for e in encoded])


def delayed(codes: torch.Tensor, pad: int, steps: int) -> torch.Tensor:
    """codes [batch, codebooks, frames] as the decoder reads them: k + 1 pads before codebook k, `steps` long."""
    batch, codebooks, frames = codes.shape
    out = torch.full((batch, codebooks, steps), pad, dtype=torch.long)
    for k in range(codebooks):
        spoken = min(frames, steps - k - 1)
        out[:, k, k + 1:k + 1 + spoken] = codes[:, k, :spoken]
    return out


def text_tensors(model, tokenizer: Path) -> dict:
    ids, mask = tokenize(tokenizer, TEXTS)
    if int(mask.sum(1).max()) <= 128:
        raise ValueError("no text is longer than 128 tokens")
    states = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return {"t5.input_ids": ids, "t5.attention_mask": mask, "t5.last_hidden_state_masked": states * mask[..., None]}


def teacher_forced(model, ids: torch.Tensor, mask: torch.Tensor) -> dict:
    """Logits for random codes: a padded batch, each text alone, and the null branch of guidance."""
    config = model.decoder.config
    vocab, codebooks = config.vocab_size, config.num_codebooks
    codes = torch.randint(0, vocab, (len(ids), codebooks, TEACHER_STEPS), generator=torch.Generator().manual_seed(SEED))
    fed = delayed(codes, config.pad_token_id, TEACHER_STEPS)

    def logits(rows: torch.Tensor, **conditions) -> torch.Tensor:
        flat = rows.reshape(-1, TEACHER_STEPS)
        return model(decoder_input_ids=flat, **conditions).logits.reshape(-1, codebooks, TEACHER_STEPS, vocab)

    states = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    out = {
        "musicgen.input_ids": ids,
        "musicgen.attention_mask": mask,
        "musicgen.encoder_hidden_states": model.enc_to_dec_proj(states) * mask[..., None],
        "musicgen.decoder_input_ids": fed,
        "musicgen.logits_padded": logits(fed, input_ids=ids, attention_mask=mask),
        "musicgen.logits_uncond": logits(fed, encoder_outputs=(torch.zeros_like(states),),
                                         attention_mask=torch.zeros_like(mask)),
    }
    for i, length in enumerate(mask.sum(1).tolist()):
        out[f"musicgen.logits_single.{i}"] = logits(fed[i], input_ids=ids[i:i + 1, :length],
                                                    attention_mask=mask[i:i + 1, :length])
    return out


@contextmanager
def codes_kept(model, into: list):
    """Inside the block, generate() leaves the codes that it decodes in `into`."""
    decode = model.audio_encoder.decode

    def kept(codes, *arguments, **named):
        into.append(codes[0].clone())
        return decode(codes, *arguments, **named)

    model.audio_encoder.decode = kept
    try:
        yield
    finally:
        model.audio_encoder.decode = decode


def greedy(model, ids: torch.Tensor, mask: torch.Tensor) -> dict:
    """generate() without sampling: codes with the delay undone, and how clear each choice was."""
    codes: list[torch.Tensor] = []
    with codes_kept(model, codes):
        said = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, guidance_scale=GUIDANCE,
                              max_new_tokens=NEW_TOKENS, return_dict_in_generate=True, output_scores=True)
    scores = torch.stack(said.scores).reshape(NEW_TOKENS, len(ids), model.decoder.config.num_codebooks, -1)
    best = scores.topk(2, dim=-1).values
    margin = best[..., 0] - best[..., 1]
    closest = closest_choice(margin)
    if closest < MARGIN:
        raise ValueError(f"the closest greedy choice is {closest:.1e} apart: give the model another seed")
    return {"musicgen.greedy_codes": codes[0], "musicgen.greedy_margin": margin}


def closest_choice(margin: torch.Tensor) -> float:
    """The smallest of `margin` [steps, texts, codebooks] where a codebook speaks; elsewhere the pad is fed whatever won."""
    steps, _, codebooks = margin.shape
    frames = steps - codebooks + 1
    return min(float(margin[k:k + frames, :, k].min()) for k in range(codebooks))


def codec_tensors(model) -> dict:
    """Random codes and what they sound like; each layer's output for 3 frames, which are fewer than a reflection needs."""
    codec, config = model.audio_encoder, model.decoder.config
    generator = torch.Generator().manual_seed(SEED + 1)
    out: dict[str, torch.Tensor] = {}
    for frames, batch in ((50, 2), (3, 1)):
        codes = torch.randint(0, config.vocab_size, (batch, config.num_codebooks, frames), generator=generator)
        hooks = []
        if frames == 3:
            for i, layer in enumerate(codec.decoder.layers):
                hooks.append(layer.register_forward_hook(
                    lambda _, __, y, i=i: out.__setitem__(f"encodec.stage_3.layer{i:02d}", y.clone())))
        out[f"encodec.codes_{frames}"] = codes
        out[f"encodec.quantized_{frames}"] = codec.quantizer.decode(codes.transpose(0, 1))
        out[f"encodec.audio_{frames}"] = codec.decode(codes[None], [None] * batch).audio_values
        for hook in hooks:
            hook.remove()
    return out


def write_golden(arch: musicgen_small.SmallMusicgen, folder: Path, tokenizer: Path, path: Path) -> None:
    model = musicgen_small.load(arch, folder)
    ids, mask = tokenize(tokenizer, [TEXTS[i] for i in GENERATED])
    tensors = {**text_tensors(model, tokenizer), **teacher_forced(model, ids, mask), **greedy(model, ids, mask),
               **codec_tensors(model)}
    facts = {"made_by": "scripts/parity/make_golden_musicgen.py", "seed": SEED, "texts": TEXTS, "generated": GENERATED,
             "guidance": GUIDANCE, "new_tokens": NEW_TOKENS}
    golden_file.save(path, tensors, facts, PACKAGES)
    print(f"  closest greedy choice {closest_choice(tensors['musicgen.greedy_margin']):.4f}, "
          f"{tensors['musicgen.greedy_codes'].unique().numel()} different codes")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--demo", type=Path, default=ROOT / "assets/demo")
    ap.add_argument("--out", type=Path, default=ROOT / "tests", help="the folder that gets golden/ and data/")
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")
    import transformers
    transformers.logging.set_verbosity_error()

    tokenizer = args.demo / "musicgen/tokenizer.json"
    other = args.out / "data" / musicgen_small.OTHER.name
    musicgen_small.write_folder(musicgen_small.OTHER, other)
    for arch, folder in ((musicgen_small.DEMO, args.demo / "musicgen"), (musicgen_small.OTHER, other)):
        write_golden(arch, folder, tokenizer, args.out / "golden/musicgen" / f"{arch.name}.safetensors")


if __name__ == "__main__":
    main()
