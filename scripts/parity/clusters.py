"""Make tests/golden/clusters.json: what numpy, scipy and scikit-learn say about small sets of embeddings.

    python3 scripts/parity/clusters.py > tests/golden/clusters.json    # numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1

Embeddings have three decimals; both sides read them as f32. With `--map POINTS.f64 EMBEDDINGS.f32 DIMENSIONS` it prints instead
how far a map of `crates/analysis/examples/analysis_bench.rs` keeps neighbours, beside scikit-learn's map of the same embeddings.
"""

import json
import sys

import numpy as np
from scipy import linalg, stats
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities
from sklearn.metrics import davies_bouldin_score, silhouette_samples
from sklearn.metrics.pairwise import cosine_distances, cosine_similarity

RNG = np.random.default_rng(2026)


def clouds(sizes, dimensions, spread, shift=0.0):
    """Rows of length about 1 about one centre a group, in a shuffled order, and their groups."""
    centres = RNG.normal(shift, 1, (len(sizes), dimensions))
    groups = RNG.permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = centres[groups] + spread * RNG.normal(size=(len(groups), dimensions))
    rows = np.round(rows / np.linalg.norm(rows, axis=1, keepdims=True), 3)
    return rows.astype(np.float32), groups


def plain(x):
    return np.asarray(x).tolist()


def rows(x):
    return np.round(x.astype(float), 3).tolist()


def unit(x):
    x = x.astype(float)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def weighted_silhouette(distances, groups, chosen):
    """The mean silhouette of a resample, by pairs: copies of a piece are not its neighbours."""
    copies = np.bincount(chosen, minlength=len(groups))
    values = []
    for i in np.flatnonzero(copies):
        means = []
        for group in np.unique(groups):
            weights = copies * (groups == group)
            weights[i] = 0
            if group == groups[i]:
                inside = (weights @ distances[i]) / weights.sum() if weights.sum() else None
            elif weights.sum():
                means.append((weights @ distances[i]) / weights.sum())
        values += [0.0 if inside is None else (min(means) - inside) / max(min(means), inside)] * copies[i]
    return np.mean(values)


def interval(statistic, groups):
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = [m for m in members if len(m) > 1]
    alone = [m for m in members if len(m) == 1]
    of = lambda *chosen: statistic(np.concatenate([*chosen, *alone]))
    found = stats.bootstrap(drawn, of, method="BCa", vectorized=False, n_resamples=4_000, rng=1)
    return plain(found.confidence_interval)


def groups_case(a, b, groups):
    distances = [cosine_distances(x.astype(float)) for x in (a, b)]
    for d in distances:
        np.fill_diagonal(d, 0)
    of = [lambda chosen, d=d: weighted_silhouette(d, groups, chosen) for d in distances]
    samples = silhouette_samples(distances[0], groups, metric="precomputed")
    everything = np.arange(len(groups))
    assert np.isclose(of[0](everything), samples.mean())
    shuffles = np.random.default_rng(1)
    others = [
        silhouette_samples(distances[1], shuffles.permutation(groups), metric="precomputed").mean() for _ in range(4_000)
    ]
    same = groups[:, None] == groups[None]
    pairs = ~np.eye(len(groups), dtype=bool)
    cosines = cosine_similarity(a.astype(float))
    number = groups.max() + 1
    mean = lambda values: float(values.mean()) if values.size else None
    block = lambda i, j: mean(cosines[(groups == i)[:, None] & (groups == j)[None] & pairs])
    cross = cosine_similarity(a.astype(float), b.astype(float))
    return {
        "a": rows(a),
        "b": rows(b),
        "groups": plain(groups),
        "silhouettes": plain(samples),
        "silhouette_interval": interval(of[0], groups),
        "silhouette_b": of[1](everything),
        "silhouette_difference_interval": interval(lambda c: of[0](c) - of[1](c), groups),
        "silhouette_b_p": (1 + sum(o >= of[1](everything) for o in others)) / 4_001,
        "davies_bouldin": davies_bouldin_score(unit(a), groups),
        "similarity": [[block(i, j) for j in range(number)] for i in range(number)],
        "cross_similarity": [
            [cross[np.ix_(groups == i, groups == j)].mean() for j in range(number)] for i in range(number)
        ],
        "intra": [mean(distances[0][same & pairs & (groups == g)[:, None]]) for g in range(number)],
        "inter": [mean(distances[0][~same & (groups == g)[:, None]]) for g in range(number)],
        "intra_mean": mean(distances[0][same & pairs]),
        "inter_mean": mean(distances[0][~same]),
    }


def pca_case(x, k):
    pca = PCA(k, svd_solver="full").fit(x.astype(float))
    return {
        "rows": rows(x),
        "k": k,
        "scores": plain(np.round(pca.transform(x.astype(float)), 9)),
        "components": plain(np.round(pca.components_, 9)),
        "ratio": plain(pca.explained_variance_ratio_),
    }


def frechet(a, b):
    a, b = a.astype(float), b.astype(float)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(ca @ cb).real
    shift = a.mean(0) - b.mean(0)
    return float(shift @ shift + np.trace(ca) + np.trace(cb) - 2 * np.trace(root))


def kernel_distance(x, y):
    x, y = x.astype(float), y.astype(float)
    width = np.median(pdist(y))
    kernel = lambda d: np.exp(-(d**2) / (2 * width**2))
    inside = lambda z: kernel(pdist(z)).mean()
    return {"bandwidth": float(width), "distance": float(inside(x) + inside(y) - 2 * kernel(cdist(x, y)).mean())}


def distance_case(a, b):
    return {"a": rows(a), "b": rows(b), "frechet": frechet(a, b), "kernel": kernel_distance(a, b)}


def nearest_case(x, query):
    cosines = cosine_similarity(query[None].astype(float), x.astype(float))[0]
    order = np.argsort(-cosines, kind="stable")[:5]
    return {"query": rows(query), "nearest": plain(order), "cosines": plain(cosines[order])}


def scikit_map(x, method, iterations=1000):
    scores = PCA(min(50, *x.shape), svd_solver="full").fit_transform(x.astype(float))
    tsne = TSNE(
        perplexity=30, learning_rate=200, max_iter=iterations, metric="cosine", init="pca", method=method, random_state=42
    )
    return scores, tsne, tsne.fit_transform(scores)


def map_case(x):
    found = {"rows": rows(x)}
    for method in ("exact", "barnes_hut"):
        scores, tsne, points = scikit_map(x, method)
        kept = trustworthiness(scores, points, metric="cosine", n_neighbors=12)
        found[method] = {"kl_divergence": float(tsne.kl_divergence_), "trustworthiness": float(kept)}
    affinities = squareform(_joint_probabilities(cosine_distances(scores) ** 2, 30, 0))
    found["affinities"] = plain(np.round(affinities[:4], 9))
    return found


def judge(points, embeddings, dimensions):
    x = np.fromfile(embeddings, "<f4").reshape(-1, dimensions)
    ours = np.fromfile(points, "<f8").reshape(-1, 2)
    scores, tsne, theirs = scikit_map(x, "exact" if len(x) <= 2000 else "barnes_hut")
    for name, found in (("scikit-learn", theirs), ("harness", ours)):
        print(f"{name}: trustworthiness {trustworthiness(scores, found, metric='cosine', n_neighbors=12):.4f}")
    print(f"scikit-learn: divergence {tsne.kl_divergence_:.4f}")


if sys.argv[1:2] == ["--map"]:
    judge(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    raise SystemExit

A, GROUPS = clouds([14, 9, 11, 1], 16, 0.8)
B = np.round(unit(0.15 * A + RNG.normal(0, 0.25, A.shape)), 3).astype(np.float32)
TALL, _ = clouds([20, 20], 6, 0.7)
WIDE, _ = clouds([5, 5], 16, 0.7)
REFERENCE, _ = clouds([30], 16, 1.0, 0.5)
OTHER, _ = clouds([24], 16, 1.0, 0.5)
FEW, MANY = clouds([9], 12, 1.0, 0.5)[0], clouds([40], 12, 1.0, 0.5)[0]
MAPPED, _ = clouds([50, 45, 55], 16, 0.45)

golden = {
    "groups": groups_case(A, B, GROUPS),
    "pca": [pca_case(TALL, 4), pca_case(WIDE, 5)],
    "distances": [distance_case(OTHER, REFERENCE), distance_case(FEW, MANY)],
    "nearest": nearest_case(A, B[3]),
    "map": map_case(MAPPED),
}
print(json.dumps(golden))
