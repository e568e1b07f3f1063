"""python3 -m unittest discover -s scripts/gpu"""
from __future__ import annotations

import json
import random
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import npy
import parts
from results import Clock, Results, StepError, run


class Parts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.into = Path(folder.name), Path(folder.name) / "into"
        self.file = self.folder / "library.so"
        self.file.write_bytes(random.Random(1).randbytes(300_000) + bytes(200_000))
        self.file.chmod(0o755)
        for name, value in (("STRETCH", 115_000), ("LARGEST", 120_000)):
            patch = mock.patch.object(parts, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def packed(self) -> list[Path]:
        # In this process: the other ones would not see the small sizes.
        with mock.patch.object(parts, "ProcessPoolExecutor", _Here):
            return parts.pack([self.file], self.folder / "parts")

    def test_any_order_and_twice(self):
        packed = self.packed()
        self.assertGreater(len(packed), 3)
        self.assertTrue(all(part.stat().st_size <= parts.LARGEST for part in packed))
        random.Random(2).shuffle(packed)
        for part in packed[:-1] + packed[:1]:
            self.assertNotIn("whole", parts.unpack(part, self.into))
            self.assertFalse((self.into / self.file.name).exists())
        for part in packed[-1:] + packed[:2]:
            self.assertIn("whole", parts.unpack(part, self.into))
        self.assertEqual([p.name for p in self.into.iterdir()], [self.file.name])
        self.assertEqual((self.into / self.file.name).read_bytes(), self.file.read_bytes())
        self.assertEqual((self.into / self.file.name).stat().st_mode & 0o777, 0o755)

    def test_what_is_there_is_not_made_again(self):
        before = {part: part.stat().st_mtime_ns for part in self.packed()}
        self.assertEqual({part: part.stat().st_mtime_ns for part in self.packed()}, before)

    def test_damaged_parts(self):
        part = self.packed()[0]
        head, _, body = part.read_bytes().partition(b"\n")
        about = json.loads(head)
        bad = self.folder / "bad.part"

        def refused(data: bytes, said: str):
            bad.write_bytes(data)
            with self.assertRaisesRegex(parts.PartError, said) as caught:
                parts.unpack(bad, self.into)
            self.assertNotIn("\n", str(caught.exception))
            self.assertFalse(self.into.exists())

        refused(b"", "is not a part")
        refused(head + b"\n" + body[:-50], "cut off")
        refused(head + b"\n" + body[:-50] + bytes(50), "damaged")
        refused(b"{}\n" + body, "is not a part")
        for change, said in (({"file": "../x"}, "another folder"), ({"file": "/x"}, "another folder"),
                             ({"offset": about["bytes"]}, "outside"), ({"size": -5}, "outside"),
                             ({"part_sha256": "0" * 64}, "does not hold"), ({"bytes": "many"}, "is not a part")):
            refused(json.dumps(about | change).encode() + b"\n" + body, said)

    def test_a_file_that_is_not_the_one_that_was_packed(self):
        packed = self.packed()
        for part in packed[:-1]:
            parts.unpack(part, self.into)
        growing = self.into / f"{self.file.name}.growing"
        with open(growing, "r+b") as f:
            f.seek(json.loads(packed[0].read_bytes().partition(b"\n")[0])["offset"])
            f.write(b"another")
        with self.assertRaisesRegex(parts.PartError, "unpack all parts again"):
            parts.unpack(packed[-1], self.into)
        self.assertEqual(list(self.into.iterdir()), [])
        for part in packed:
            said = parts.unpack(part, self.into)
        self.assertIn("whole", said)


class _Here:
    """A pool that is this process."""

    def __init__(self, _: int):
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class Steps(unittest.TestCase):
    def test_a_step_ends_with_its_seconds_and_what_it_started_too(self):
        with self.assertRaisesRegex(StepError, "longer than the step's seconds"):
            run(["sh", "-c", "sleep 60 & sleep 60"], Clock(0.3))
        with self.assertRaisesRegex(StepError, "were over"):
            run(["true", ""], Clock(0))

    def test_a_failure_is_its_last_line(self):
        with self.assertRaisesRegex(StepError, "^sh -c ended with 3: two$"):
            run(["sh", "-c", "echo one; echo two >&2; exit 3"], Clock(10))

    def test_figures_are_there_as_soon_as_they_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            results = Results(Path(folder))
            results.tell(cpus=2)
            results.tell_of("a", seconds=1.5)
            results.tell_of("a", ended="done")
            told = json.loads((Path(folder) / "results.json").read_text())
        self.assertEqual(told, {"steps": {"a": {"seconds": 1.5, "ended": "done"}}, "cpus": 2})


class Npy(unittest.TestCase):
    def test_differences(self):
        with tempfile.TemporaryDirectory() as folder:
            a, b = Path(folder) / "a.npy", Path(folder) / "b.npy"
            _write(a, (2, 2), [1, 0, 0, 1])
            _write(b, (2, 2), [1, 0, 0.6, 0.8])
            self.assertAlmostEqual(npy.lowest_cosine(a, b), 0.8, 6)
            self.assertAlmostEqual(npy.largest_difference(a, b), 0.6, 6)
            _write(b, (4,), [1, 0, 0, 1])
            with self.assertRaisesRegex(ValueError, "shape"):
                npy.largest_difference(a, b)
            _write(b, (5, 2), [1, 0, 0, 1])
            with self.assertRaisesRegex(ValueError, "4 values"):
                npy.read(b)


def _write(path: Path, shape: tuple, values: list) -> None:
    import array
    head = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + array.array("f", values).tobytes())


if __name__ == "__main__":
    unittest.main()
