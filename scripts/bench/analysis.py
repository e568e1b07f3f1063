"""Time t-SNE and silhouettes of the harness beside scikit-learn's, in turn, on the same embeddings and as many threads.

    cargo build --release --example analysis_bench
    python scripts/bench/analysis.py --bench target/release/examples/analysis_bench --rounds 3

numpy 2.4.6, scikit-learn 1.9.1. Both sides take 50 principal components first, then t-SNE with perplexity 30, learning rate 200
and the cosine distance; times are without starting a process or reading a file. Ratios are scikit-learn's time over the
harness's, round by round.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Before numpy is there: its libraries read them once.
THREADS = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "2"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = THREADS

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import silhouette_score


def embeddings(pieces, dimensions=512, clusters=12):
    """Rows of length 1 about some centres, dimensions of falling spread."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(clusters, dimensions))
    noise = rng.normal(size=(pieces, dimensions)) * np.linspace(2, 0.2, dimensions)
    rows = centres[rng.integers(clusters, size=pieces)] + 1.5 * noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")


def bench(*arguments):
    return json.loads(subprocess.run([*map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def clocked(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def scikit_map(rows, iterations):
    scores = PCA(50, random_state=42).fit_transform(rows)
    tsne = TSNE(
        perplexity=30, learning_rate=200, max_iter=iterations, metric="cosine", init="pca", random_state=42, n_jobs=int(THREADS)
    )
    return scores, tsne, tsne.fit_transform(scores)


def spread(values):
    return f"{np.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def report(what, theirs, ours, bar):
    ratios = [a / b for a, b in zip(theirs, ours)]
    print(f"{what}: scikit-learn {spread(theirs)} s, harness {spread(ours)} s, ratio {spread(ratios)}; {bar}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="the built examples/analysis_bench.rs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="2", help="of either side")
    parser.add_argument("--iterations", type=int, default=1000)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        file, points = Path(folder, "embeddings.f32"), Path(folder, "points.f64")
        rows = embeddings(5521)
        rows.tofile(file)
        theirs, ours = [], []
        for _ in range(options.rounds):
            seconds, (scores, tsne, map_) = clocked(lambda: scikit_map(rows, options.iterations))
            theirs.append(seconds)
            found = bench(options.bench, "tsne", file, 512, 30, options.iterations, points)
            ours.append(found["seconds"])
        report(f"t-SNE of 5,521 x 512, {options.iterations} iterations", theirs, ours, "bar 1")
        for name, map_, divergence in (
            ("scikit-learn", map_, tsne.kl_divergence_),
            ("harness", np.fromfile(points).reshape(-1, 2), found["kl_divergence"]),
        ):
            kept = trustworthiness(scores, map_, metric="cosine", n_neighbors=12)
            print(f"  {name}: divergence {divergence:.4f}, trustworthiness {kept:.4f}")

        rows = embeddings(5000)
        rows.tofile(file)
        groups = np.arange(5000) % 4
        theirs, ours = [], []
        for _ in range(options.rounds):
            seconds, score = clocked(lambda: silhouette_score(rows, groups, metric="cosine"))
            theirs.append(seconds)
            found = bench(options.bench, "silhouette", file, 512, 4)
            ours.append(found["seconds"])
        report("silhouette of 5,000 x 512", theirs, ours, "bar 3 s")
        print(f"  scikit-learn {score:.6f}, harness {found['silhouette']:.6f}")

        rows = embeddings(5521)
        rows.tofile(file)
        for what, value in bench(options.bench, "others", file, 512).items():
            print(f"harness, {what}: {value:.4g}")


if __name__ == "__main__":
    main()
