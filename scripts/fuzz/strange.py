"""Numbers and texts that nobody expects."""
from __future__ import annotations

import random

# What the issue of extreme numbers is about: beyond f32, beyond f64, below both, not numbers at all, and what is merely large.
NUMBERS = ("1e308", "-1e308", "1e-320", "3.5e38", "-3.5e38", "1e6", "1e9", "nan", "inf", "-inf", "-0.0", "1e400", "-1e400", "1e-400")

INTEGERS = ("0", "-1", "1", "2147483648", "4294967295", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1000000", "1000000000000")

# What a terminal obeys, and what turns the order of what is read.
TERMINAL = ("\x1b[2J\x1b[H", "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://example.invalid\x1b\\link", "\x9b31m", "\x9d0;t\x9c", "\u202egnp.exe",
            "\u202a\u202b\u202c\u202d", "\u2066\u2067\u2068\u2069", "\u200e\u200f", "over\rwritten", "bell\x07", "back\x08\x08\x08", "del\x7f",
            "\x0b\x0c", "two\nlines", "tab\there", "\x1bPq#0\x1b\\", "\x1b[6n", "\x85next")

TEXTS = (*TERMINAL, "", " ", "x" * 5000, "long " * 4000, "ü" * 3000, "🎵" * 1500, "\x00", "a\x00b", "../../outside", "/etc/passwd", "{taste}", "{nobody}",
         "{", "%s%n", "$(touch outside)", "'; --", "\"", "\\", "\ufeff", "\ufffd", "\U0010ffff", "=HYPERLINK(1)", "CON", "-", "--help", "a,b", "#", "&", "*",
         "null", "true", "1e5", ".nan", "<script>", "\n\n\n", "a" * 255, "b/" * 200)


def number(rng: random.Random) -> str:
    return rng.choice(rng.choice([NUMBERS, INTEGERS]))


def text(rng: random.Random) -> str:
    return rng.choice(TEXTS)
