"""Pairs of an execution provider and a precision, as the harness takes them on its command line."""
from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    provider: str
    precision: str

    @staticmethod
    def parse(text: str) -> "Pair":
        provider, found, precision = text.partition(":")
        if not (provider and found and precision):
            raise argparse.ArgumentTypeError(f"{text!r} is no pair; write PROVIDER:PRECISION, such as openvino:bf16")
        return Pair(provider, precision)

    def flags(self) -> list[str]:
        return ["--ep", self.provider, "--precision", self.precision]

    def export_flags(self) -> list[str]:
        """Of `harness export`; the CPU is its default."""
        return self.flags() if self.provider != "cpu" else ["--precision", self.precision]

    def __str__(self) -> str:
        return f"{self.provider} {self.precision}"


REFERENCE = Pair("cpu", "fp32")


def refusal(error: Exception) -> str:
    """Why a command failed, on one line: its error, or what it said last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return [type(error).__name__, *lines[-1:], *errors[:1]][-1]
