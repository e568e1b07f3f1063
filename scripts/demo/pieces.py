"""The dozen pieces of the tests, and how each is written to disk so that the same samples give the same bytes."""
from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.io import wavfile

import synth


@dataclass(frozen=True)
class Piece:
    """One audio file; the taste is the part of `name` before the underscore, as in the notebooks."""

    name: str
    kind: str  # suffix of the file
    subtype: str  # soundfile's name of the sample format
    rate: int
    channels: int
    seconds: float

    @property
    def file(self) -> str:
        return f"{self.name}.{self.kind}"


# Every reader and every rate class at least once; three pieces are longer than 10 s, so that the fusion path runs.
PIECES = (
    Piece("bitter_01", "wav", "PCM_16", 32000, 1, 1.2),
    Piece("bitter_02", "flac", "PCM_16", 44100, 2, 1.0),
    Piece("bitter_03", "ogg", "VORBIS", 32000, 1, 12.0),
    Piece("sour_01", "wav", "PCM_24", 32000, 1, 0.9),  # WAVE_FORMAT_EXTENSIBLE
    Piece("sour_02", "mp3", "MPEG_LAYER_III", 32000, 1, 2.5),
    Piece("sour_03", "wav", "PCM_U8", 22050, 1, 2.0),
    Piece("sweet_01", "wav", "FLOAT", 32000, 1, 0.8),
    Piece("sweet_02", "ogg", "VORBIS", 32000, 1, 15.0),
    Piece("sweet_03", "flac", "PCM_24", 24000, 1, 1.5),
    Piece("salty_01", "wav", "PCM_16", 22050, 2, 1.0),
    Piece("salty_02", "mp3", "MPEG_LAYER_III", 32000, 1, 7.0),
    Piece("salty_03", "ogg", "VORBIS", 24000, 1, 11.0),
)


def write_pieces(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, p in enumerate(PIECES):
        samples = synth.piece(p.name.split("_")[0], p.seconds, p.rate, p.channels, seed=1000 + i)
        path = folder / p.file
        if p.subtype == "FLOAT":  # libsndfile would add a chunk with the time of day
            wavfile.write(path, p.rate, samples.astype(np.float32))
        elif p.subtype == "PCM_24" and p.kind == "wav":
            soundfile.write(path, samples, p.rate, subtype=p.subtype, format="WAVEX")
        elif p.kind == "mp3":
            soundfile.write(path, samples, p.rate, subtype=p.subtype, format="MP3", compression_level=0.6)
        elif p.kind == "ogg":
            soundfile.write(path, samples, p.rate, subtype=p.subtype, format="OGG", compression_level=0.8)
            path.write_bytes(fixed_ogg_serial(path.read_bytes(), serial=i))
        else:
            soundfile.write(path, samples, p.rate, subtype=p.subtype)


def fixed_ogg_serial(data: bytes, serial: int) -> bytes:
    """The Ogg file `data` with its random stream number replaced by `serial`, checksums redone (RFC 3533)."""
    out, at = bytearray(data), 0
    while at < len(out):
        if out[at:at + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {at}")
        segments = out[at + 26]
        size = 27 + segments + sum(out[at + 27:at + 27 + segments])
        out[at + 14:at + 18] = serial.to_bytes(4, "little")
        out[at + 22:at + 26] = bytes(4)
        out[at + 22:at + 26] = _ogg_crc(bytes(out[at:at + size])).to_bytes(4, "little")
        at += size
    return bytes(out)


def _bit_reversed(data: bytes) -> bytes:
    return data.translate(bytes(int(f"{b:08b}"[::-1], 2) for b in range(256)))


def _ogg_crc(page: bytes) -> int:
    """Ogg's CRC-32 is zlib's polynomial with the bits the other way round, and without zlib's inversions."""
    reflected = zlib.crc32(_bit_reversed(page), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
