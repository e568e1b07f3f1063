"""Make tests/golden/stats.json: what numpy and scipy say about pairs of score lists.

    python3 scripts/parity/stats.py > tests/golden/stats.json        # numpy 2.4.6, scipy 1.17.1

Cases with ties use multiples of 1/64, which every JSON reader reads exactly. `null` stands where scipy has no number, and for
the Wilcoxon test of one piece: scipy says 1, the harness runs no test on fewer than two.
"""

import json
import math
import warnings

import numpy as np
from scipy import stats

RNG = np.random.default_rng(2026)


def scores(n, mean, sd=0.15):
    return np.round(RNG.normal(mean, sd, n), 6)


def coarse(n, spread=12):
    return RNG.integers(-spread, spread + 1, n) / 64


def number(x):
    return float(x) if math.isfinite(x) else None


def bca(d):
    """The BCa interval; scipy has none for equal values, where it has no width."""
    if len(set(d.tolist())) == 1:
        return [d[0], d[0]]
    return scipy_bca((d,), np.mean)


def bca_of_groups(a, b):
    """The BCa interval of the difference of the means, the two lists resampled each on its own."""
    if len(set(a.tolist())) == len(set(b.tolist())) == 1:
        return [a[0] - b[0], a[0] - b[0]]
    return scipy_bca((a, b), lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis))


def scipy_bca(samples, statistic):
    found = stats.bootstrap(samples, statistic, method="BCa", n_resamples=100_000, batch=2_000, rng=1)
    return [*found.confidence_interval]


def case(name, a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    d, n = a - b, len(a)
    constant = len(set(d.tolist())) == 1
    flat = len(set(a.tolist())) == 1 or len(set(b.tolist())) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sd = d.std(ddof=1) if n > 1 else math.nan
        return {
            "name": name,
            "a": a.tolist(),
            "b": b.tolist(),
            "mean": d.mean(),
            "sd": (0.0 if constant else sd) if n > 1 else None,
            "quantiles": np.quantile(d, [0, 0.25, 0.5, 0.75, 1]).tolist(),
            "bootstrap": bca(d) if n > 1 else None,
            "bootstrap_of_groups": bca_of_groups(a, b) if n > 1 else None,
            "cohens_d": None if constant else number(d.mean() / sd),
            "pearson_r": None if flat or n < 2 else number(stats.pearsonr(a, b)[0]),
            "kendall_tau_b": None if flat or n < 2 else number(stats.kendalltau(a, b)[0]),
            "t_p": None if constant else number(stats.ttest_rel(a, b).pvalue),
            "wilcoxon_p": None if n < 2 or not d.any() else number(stats.wilcoxon(a, b).pvalue),
        }


CASES = [
    case("one piece", [0.25], [0.125]),
    case("two pieces", [0.25, 0.5], [0.125, 0.75]),
    case("5 pieces", scores(5, 0.1), scores(5, 0.0)),
    case("12 pieces, ties and zeros", coarse(12, 3), coarse(12, 3)),
    case("13 pieces, ties", coarse(13, 3), coarse(13, 3)),
    case("14 pieces, ties", coarse(14, 3), coarse(14, 3)),
    case("25 pieces", scores(25, 0.05), scores(25, 0.0)),
    case("50 pieces", scores(50, 0.02), scores(50, 0.0)),
    case("51 pieces", scores(51, 0.02), scores(51, 0.0)),
    case("100 pieces, related", *(lambda x: (x, np.round(0.6 * x + scores(100, -0.1), 6)))(scores(100, 0.1))),
    case("100 pieces, ties", coarse(100), coarse(100)),
    case("300 pieces, far apart", scores(300, 0.3), scores(300, -0.1)),
    case("constant against spread", [0.25] * 8, coarse(8)),
    case("the same shift everywhere", np.arange(8) / 64 + 0.5, np.arange(8) / 64),
    case("an arm against itself", coarse(9), np.zeros(9)),
    case("no difference", np.arange(6) / 64, np.arange(6) / 64),
]

print("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]")
