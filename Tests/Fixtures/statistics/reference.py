#!/usr/bin/env python3
"""What scipy, statsmodels, scikit-posthocs and plain definitions in whole numbers say about cases of the statistics library.

    reference.py live CASES.json RESULTS.json    answers cases that a test drew; needs numpy and scipy
    reference.py store                           writes the *.json beside this file; needs statsmodels and scikit-posthocs too

A case is {"kind": ..., "groups": [[...], ...], options...}; the answer maps names to lists of numbers. `store` puts both together.
"""
import datetime
import fractions
import functools
import json
import math
import pathlib
import platform
import sys
import warnings

import numpy as np
import scipy
from scipy import stats
from scipy.stats import _resampling

warnings.simplefilter("ignore")
MASK = (1 << 64) - 1


class SplitMix64:
    """The generator of the library, so that a bootstrap of scipy's can be given the very same resamples."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        product = self.next() * bound
        if product & MASK < bound:
            threshold = ((1 << 64) - bound) % bound
            while product & MASK < threshold:
                product = self.next() * bound
        return product >> 64


@functools.lru_cache(maxsize=None)
def u_counts(m, n):
    """Arrangements for each U, in whole numbers, by Pascal's rule G(i, j) = G(i-1, j) + q^i G(i, j-1), coefficients packed into one
    integer. Another road than the library's product."""
    width = math.comb(m + n, m).bit_length() + 1
    row = [1] * (n + 1)  # G(0, j) = 1
    for i in range(1, m + 1):
        new = [1]
        for j in range(1, n + 1):
            new.append(row[j] + (new[j - 1] << (width * i)))
        row = new
    text = bin(row[n])[2:].zfill(width * (m * n + 1))
    counts = [int(text[start:start + width], 2) for start in range(0, len(text), width)]
    assert sum(counts) == math.comb(m + n, m)
    return counts


@functools.lru_cache(maxsize=None)
def w_counts(n):
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for w, count in enumerate(counts):
            longer[w + rank] += count
        counts = longer
    return counts


def ratio(count, total):
    return float(fractions.Fraction(count, total))


def interval_rank(counts, level):
    """The greatest k with P(statistic < k) <= alpha / 2, exactly."""
    total, below, k = sum(counts), 0, 0
    half = (1 - fractions.Fraction(str(level))) / 2
    while 2 * k < len(counts) - 1 and fractions.Fraction(below + counts[k], total) <= half:
        below += counts[k]
        k += 1
    return k, 1 - 2 * ratio(below, total)


def shift(values, counts, mean, deviation, level, small):
    values = np.sort(values)
    if small:
        k, achieved = interval_rank(counts(), level)
    else:
        k, achieved = math.floor(mean - stats.norm.ppf((1 + level) / 2) * deviation), None
    result = {"shift": [float(np.median(values))], "interval": [], "achieved": []}
    if k > 0:
        result["interval"] = [float(values[k - 1]), float(values[len(values) - k])]
        result["achieved"] = [] if achieved is None else [achieved]
    return result


def hodges_lehmann(groups, level):
    if len(groups) == 1:
        x = np.array(groups[0])
        n = len(x)
        walsh = np.array([(x[i] + x[j]) / 2 for i in range(n) for j in range(i, n)])
        return shift(walsh, lambda: w_counts(n), n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24), level, n < 50)
    a, b = map(np.array, groups)
    m, n = len(a), len(b)
    return shift(np.subtract.outer(a, b).ravel(), lambda: u_counts(min(m, n), max(m, n)), m * n / 2,
                 math.sqrt(m * n * (m + n + 1) / 12), level, max(m, n) < 50)


def cliff(groups, level):
    """Straight from the matrix of signs (Feng and Cliff 2004)."""
    a, b = map(np.array, groups)
    m, n = len(a), len(b)
    signs = np.sign(np.subtract.outer(a, b))
    d = signs.mean()
    result = {"delta": [float(d)], "superiority": [float((signs > 0).mean() + (signs == 0).mean() / 2)], "interval": []}
    if min(m, n) < 2:
        return result
    t = stats.t.ppf((1 + level) / 2, m + n - 2)
    if abs(d) == 1:
        bound = (min(m, n) - t ** 2) / (min(m, n) + t ** 2)
        result["interval"] = [bound, 1.0] if d > 0 else [-1.0, -bound]
        return result
    rows, columns = signs.mean(axis=1), signs.mean(axis=0)
    variance = ((n - 1) * rows.var(ddof=1) + (m - 1) * columns.var(ddof=1)
                + ((signs - d) ** 2).sum() / ((m - 1) * (n - 1))) / (m * n)
    reach = t * math.sqrt(variance) * math.sqrt((1 - d * d) ** 2 + t * t * variance)
    scale = 1 - d * d + t * t * variance
    result["interval"] = [float(max(-1, (d - d ** 3 - reach) / scale)), float(min(1, (d - d ** 3 + reach) / scale))]
    return result


STATISTICS = {
    "mean": lambda x, axis=-1: np.mean(x, axis=axis),
    "median": lambda x, axis=-1: np.median(x, axis=axis),
    "means": lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis),
    "medians": lambda x, y, axis=-1: np.median(x, axis=axis) - np.median(y, axis=axis),
}


def bootstrap(case):
    data = [np.array(g) for g in case["groups"]]
    paired = case.get("paired", False)
    sizes = [len(data[0])] if paired else [len(g) for g in data]
    generator = SplitMix64(case["seed"])
    drawn = [np.empty((case["resamples"], size), dtype=int) for size in sizes]
    for resample in range(case["resamples"]):
        for sample, size in enumerate(sizes):
            drawn[sample][resample] = [generator.below(size) for _ in range(size)]
    queue = iter(drawn)
    original = _resampling._bootstrap_resample
    _resampling._bootstrap_resample = lambda sample, n_resamples=None, rng=None, *, xp: sample[..., next(queue)]
    statistic = STATISTICS.get(case["statistic"])
    # Rounded: BCa counts the resamples that equal the estimate, and two orders of the same values have sums that differ in the last bit.
    rounded = ((lambda *samples, axis=-1: np.round(statistic(*samples, axis=axis), 12)) if statistic
               else (lambda x, y: np.round(stats.spearmanr(x, y).statistic, 12)))
    try:
        result = stats.bootstrap(
            data, rounded, n_resamples=case["resamples"],
            vectorized=statistic is not None, paired=paired, confidence_level=case["level"],
            method={"bca": "BCa", "percentile": "percentile"}[case["method"]])
    finally:
        _resampling._bootstrap_resample = original
    return {"interval": list(map(float, result.confidence_interval)), "error": [float(result.standard_error)]}


def permutation(case):
    data = [np.array(g) for g in case["groups"]]
    alternative = case["alternative"]
    if case.get("paired", False):
        data = [data[0] - data[1]]
        statistic, kind = STATISTICS[case["statistic"][:-1]], "samples"
    else:
        statistic, kind = STATISTICS[case["statistic"]], "independent"
    result = stats.permutation_test(data, statistic, permutation_type=kind, vectorized=True, n_resamples=np.inf,
                                    alternative=alternative)
    return {"statistic": [float(result.statistic)], "p": [float(result.pvalue)]}


def survival(case):
    curve = stats.ecdf(censored(case["groups"][0], case["groups"][1])).sf
    event = curve._d > 0
    interval = curve.confidence_interval(case["level"], method="log-log")
    open_end = curve.probabilities > 0
    return {"time": curve.quantiles[event].tolist(), "survival": curve.probabilities[event].tolist(),
            "atRisk": curve._n[event].tolist(),
            "lower": interval.low.probabilities[event & open_end].tolist(),
            "upper": interval.high.probabilities[event & open_end].tolist()}


def censored(times, events):
    times, events = np.array(times), np.array(events) > 0
    return stats.CensoredData(uncensored=times[events], right=times[~events])


def log_rank(case):
    g = case["groups"]
    if len(g) == 4:
        result = stats.logrank(censored(g[0], g[1]), censored(g[2], g[3]))
        return {"statistic": [float(result.statistic ** 2)], "p": [float(result.pvalue)]}
    from statsmodels.duration.survfunc import survdiff
    time = np.concatenate(g[0::2])
    status = np.concatenate(g[1::2])
    group = np.concatenate([[i] * len(t) for i, t in enumerate(g[0::2])])
    statistic, p = survdiff(time, status, group)
    return {"statistic": [float(statistic)], "p": [float(p)]}


def dunn(case):
    import scikit_posthocs
    table = scikit_posthocs.posthoc_dunn(case["groups"]).to_numpy()
    k = len(table)
    return {"p": [float(table[i][j]) for i in range(k) for j in range(i + 1, k)]}


def nemenyi(case):
    blocks = np.array(case["groups"])
    n, k = blocks.shape
    ranks = np.array([stats.rankdata(row) for row in blocks]).mean(axis=0)
    unit = math.sqrt(k * (k + 1) / (6 * n))
    p = [float(stats.studentized_range.sf(abs(ranks[i] - ranks[j]) / unit * math.sqrt(2), k, np.inf))
         for i in range(k) for j in range(i + 1, k)]
    critical = float(stats.studentized_range.ppf(0.95, k, np.inf)) / math.sqrt(2) * unit
    return {"meanRanks": ranks.tolist(), "p": p, "criticalDifference": [critical]}


def nemenyi_posthocs(case):
    """scikit-posthocs' own, whose p come from the same distribution."""
    import scikit_posthocs
    table = scikit_posthocs.posthoc_nemenyi_friedman(np.array(case["groups"])).to_numpy()
    k = len(table)
    return {"p": [float(table[i][j]) for i in range(k) for j in range(i + 1, k)]}


METHODS = ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
           "linear", "median_unbiased", "normal_unbiased"]


def evaluate(case):
    kind, g = case["kind"], case["groups"]
    alternative = case.get("alternative", "two-sided")
    number = lambda values: [float(v) for v in np.atleast_1d(values)]
    both = lambda result: {"statistic": number(result.statistic), "p": number(result.pvalue)}
    if kind == "normal":
        return {"cdf": number(stats.norm.cdf(g[0])), "sf": number(stats.norm.sf(g[0]))}
    if kind == "normalQuantile":
        return {"value": number(scipy.special.ndtri(g[0]))}
    if kind == "chiSquare":
        return {"p": number(scipy.special.chdtrc(g[1], g[0]))}
    if kind == "f":
        return {"p": number(scipy.special.fdtrc(g[1], g[2], g[0]))}
    if kind == "t":
        return {"p": number(stats.t.sf(g[0], g[1]))}
    if kind == "studentizedRange":
        return {"p": [float(stats.studentized_range.sf(q, k, np.inf if v < 0 else v)) for q, k, v in zip(*g)]}
    if kind == "ranks":
        ties = [int(c) for c in np.unique(g[0], return_counts=True)[1] if c > 1]
        return {"ranks": number(stats.rankdata(g[0])), "ties": ties}
    if kind == "mannWhitney":
        return both(stats.mannwhitneyu(g[0], g[1], alternative=alternative, method=case["method"],
                                       use_continuity=case.get("continuity", True)))
    if kind == "uCounts":
        m, n = int(g[0][0]), int(g[0][1])
        counts, total, sums = u_counts(min(m, n), max(m, n)), math.comb(m + n, m), [0]
        for count in counts:
            sums.append(sums[-1] + count)
        return {"lower": [ratio(sums[int(u) + 1], total) for u in g[1]]}
    if kind == "rankSumPermutation":
        result = stats.permutation_test(
            (g[0], g[1]), lambda x, y: stats.mannwhitneyu(x, y, method="asymptotic").statistic, n_resamples=np.inf,
            alternative=alternative, vectorized=False)
        return both(result)
    if kind == "signedRank":
        x, y = np.array(g[0]), np.array(g[1])
        # scipy's statistic of one side is W+ always.
        plus = stats.wilcoxon(x, y, zero_method=case["zeros"], alternative="greater", method="asymptotic").statistic
        result = stats.wilcoxon(x, y, zero_method=case["zeros"], alternative=alternative, method=case["method"],
                                correction=case.get("continuity", False))
        return {"statistic": number(plus), "p": number(result.pvalue)}
    if kind == "kruskalWallis":
        return both(stats.kruskal(*g))
    if kind == "dunn":
        return dunn(case)
    if kind == "friedman":
        return both(stats.friedmanchisquare(*np.array(g).T))
    if kind == "nemenyi":
        return nemenyi(case)
    if kind == "nemenyiPosthocs":
        return nemenyi_posthocs(case)
    if kind == "brownForsythe":
        return both(stats.levene(*g, center="median"))
    if kind == "spearman":
        return both(stats.spearmanr(g[0], g[1], alternative=alternative))
    if kind == "spearmanPermutation":
        return both(stats.permutation_test(
            (g[0],), lambda x: stats.spearmanr(x, g[1]).statistic, permutation_type="pairings", n_resamples=np.inf,
            alternative=alternative, vectorized=False))
    if kind == "permutation":
        return permutation(case)
    if kind == "cliff":
        return cliff(g, case["level"])
    if kind == "hodgesLehmann":
        return hodges_lehmann(g, case["level"])
    if kind == "bootstrap":
        return bootstrap(case)
    if kind == "quantiles":
        return {method: number(np.quantile(g[0], g[1], method=method)) for method in METHODS}
    if kind == "adjusted":
        if case["method"] == "benjamini-hochberg":
            return {"p": number(stats.false_discovery_control(g[0]))}
        from statsmodels.stats.multitest import multipletests
        return {"p": number(multipletests(g[0], method=case["method"])[1])}
    if kind == "survival":
        return survival(case)
    if kind == "logRank":
        return log_rank(case)
    if kind == "power":
        return power(case)
    raise ValueError(f"no such kind: {kind}")


def power(case):
    """Share of rejections in scipy's own simulation: 20 000 experiments, so a standard error below 0.0036."""
    (m, n), shift_by = map(int, case["groups"][0]), case["groups"][1][0]
    rng = np.random.default_rng(case["seed"])
    x, y = rng.normal(size=(20_000, m)) + shift_by, rng.normal(size=(20_000, n))
    p = stats.mannwhitneyu(x, y, axis=1, alternative=case.get("alternative", "two-sided")).pvalue
    return {"power": [float((p <= 0.05).mean())]}


# The stored cases.

def sample(rng, n, ties):
    values = rng.normal(0.8, 0.1, n)
    return [float(v) for v in (np.round(values, 1) if ties else values)]


def stored_cases():
    rng = np.random.default_rng(20260101)
    alternatives = ["two-sided", "less", "greater"]
    x = [-37, -20, -8.3, -5, -2.5, -1, -0.3, 0, 1e-9, 0.3, 1, 1.96, 2.5, 5, 8.3, 20, 37]
    p = [1e-300, 1e-20, 1e-10, 1e-4, 0.001, 0.01, 0.025, 0.05, 0.074, 0.076, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.925, 0.975,
         0.999, 1 - 1e-10]
    special = [{"kind": "normal", "groups": [x]}, {"kind": "normalQuantile", "groups": [p]}]
    grid = [(a, b) for a in [1e-6, 0.01, 0.3, 1, 2.7, 5, 12, 40, 90, 300] for b in [1, 2, 3, 5, 7.5, 18, 60, 250]]
    special.append({"kind": "chiSquare", "groups": [[a for a, _ in grid], [b for _, b in grid]]})
    special.append({"kind": "t", "groups": [[s * a for a, _ in grid for s in (-1, 1)], [b for _, b in grid for _ in "12"]]})
    cube = [(f, a, b) for f in [0.001, 0.2, 0.9, 1, 1.5, 4, 20, 300] for a in [1, 2, 5, 30] for b in [1, 3, 17, 200]]
    special.append({"kind": "f", "groups": [list(c) for c in zip(*cube)]})
    ranges = [(q, k, v) for q in [0.1, 0.8, 2, 3.3, 3.9, 5, 8] for k in [2, 3, 6, 19, 50] for v in [-1, 1, 4, 20, 300]]
    special.append({"kind": "studentizedRange", "groups": [list(c) for c in zip(*ranges)]})
    special.append({"kind": "ranks", "groups": [sample(rng, 40, True)]})
    special.append({"kind": "ranks", "groups": [sample(rng, 15, False)]})

    ranks = []
    for m, n in [(1, 1), (1, 9), (3, 4), (8, 11), (5, 60), (9, 9), (30, 40), (60, 70)]:
        for ties in (False, True):
            a, b = sample(rng, m, ties), sample(rng, n, ties)
            for alternative in alternatives:
                for method in ["auto", "asymptotic"] + ([] if ties else ["exact"]):
                    for continuity in (True, False) if method == "asymptotic" else (True,):
                        ranks.append({"kind": "mannWhitney", "groups": [a, b], "alternative": alternative, "method": method,
                                      "continuity": continuity})
                if m + n <= 12 and min(m, n) > 1:
                    ranks.append({"kind": "rankSumPermutation", "groups": [a, b], "alternative": alternative})
    counts = []
    for m, n in [(1, 1), (2, 3), (8, 11), (25, 25), (7, 300), (50, 150), (200, 200)]:
        product = m * n
        us = sorted({0, 1, product // 50, product // 10, product // 4, product // 3, product * 9 // 20, product // 2,
                     product * 11 // 20, product * 3 // 4, product - 1, product})
        counts.append({"kind": "uCounts", "groups": [[m, n], us]})
    signed = []
    for n, ties in [(1, False), (5, False), (12, False), (12, True), (13, True), (14, True), (20, True), (40, False), (50, False),
                    (51, False), (60, True)]:
        a, b = sample(rng, n, ties), sample(rng, n, ties)
        for alternative in alternatives:
            for zeros in ("wilcox", "pratt", "zsplit"):
                methods = ["auto", "asymptotic"] if ties else ["auto", "asymptotic", "exact"]
                for method in methods:
                    for continuity in (False, True) if method == "asymptotic" else (False,):
                        signed.append({"kind": "signedRank", "groups": [a, b], "alternative": alternative, "zeros": zeros,
                                       "method": method, "continuity": continuity})
    groups = []
    for sizes in [(3, 4), (8, 11, 9), (20, 20, 20, 20), (2, 30, 5, 7, 9)]:
        for ties in (False, True):
            g = [sample(rng, n, ties) for n in sizes]
            groups += [{"kind": "kruskalWallis", "groups": g}, {"kind": "brownForsythe", "groups": g},
                       {"kind": "dunn", "groups": g}]
    for n, k in [(4, 3), (6, 5), (6, 19), (30, 4)]:
        for ties in (False, True):
            blocks = [sample(rng, k, ties) for _ in range(n)]
            groups += [{"kind": kind, "groups": blocks} for kind in ("friedman", "nemenyi", "nemenyiPosthocs")]
    for n, ties in [(3, False), (7, True), (19, False), (50, True)]:
        a, b = sample(rng, n, ties), sample(rng, n, ties)
        for alternative in alternatives:
            groups.append({"kind": "spearman", "groups": [a, b], "alternative": alternative})
            if n < 8:
                groups.append({"kind": "spearmanPermutation", "groups": [a, b], "alternative": alternative})
    for m, n in [(3, 4), (5, 5), (2, 9)]:
        for ties in (False, True):
            a, b = sample(rng, m, ties), sample(rng, n, ties)
            for alternative in alternatives:
                for statistic in ("means", "medians"):
                    groups.append({"kind": "permutation", "groups": [a, b], "alternative": alternative,
                                   "statistic": statistic})
                    c = sample(rng, m, ties)
                    groups.append({"kind": "permutation", "groups": [a, c], "alternative": alternative,
                                   "statistic": statistic, "paired": True})

    effects = []
    for m, n in [(1, 5), (2, 2), (3, 3), (8, 11), (30, 20), (49, 49), (50, 20), (80, 90)]:
        for ties in (False, True):
            a, b = sample(rng, m, ties), sample(rng, n, ties)
            for level in (0.9, 0.95, 0.99):
                effects += [{"kind": "cliff", "groups": [a, b], "level": level},
                            {"kind": "hodgesLehmann", "groups": [a, b], "level": level},
                            {"kind": "hodgesLehmann", "groups": [a], "level": level}]
    for offset in (1.0, -1.0):
        effects.append({"kind": "cliff", "groups": [[v + offset for v in sample(rng, 8, False)], sample(rng, 11, False)],
                        "level": 0.95})
    seed = 0
    for n in (6, 15, 40):
        a, b = sample(rng, n, False), sample(rng, n + 3, False)
        for method in ("bca", "percentile"):
            for level in (0.9, 0.95):
                # Six pairs are drawn all alike often enough to leave no correlation.
                pairs = [([a, b[:n]], "spearman", True)] if n > 6 else []
                for data, statistic, paired in pairs + [([a], "mean", False), ([a], "median", False), ([a, b], "means", False),
                                                        ([a, b], "medians", False)]:
                    seed += 1
                    effects.append({"kind": "bootstrap", "groups": data, "statistic": statistic, "paired": paired,
                                    "level": level, "method": method, "resamples": 499, "seed": seed})
    more = []
    for n, ties in [(1, False), (2, False), (8, False), (11, True), (40, True)]:
        more.append({"kind": "quantiles", "groups": [sample(rng, n, ties), [0, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1]]})
    for m in (1, 2, 6, 20):
        values = [float(v) for v in rng.uniform(0, 1, m) ** 3]
        if m > 2:
            values[1] = values[0]
        more += [{"kind": "adjusted", "groups": [values], "method": method}
                 for method in ("bonferroni", "holm", "benjamini-hochberg")]
    for n in (1, 5, 20, 60):
        g = []
        for _ in range(3):
            g += [[float(v) for v in rng.integers(0, 21, n)], [float(v) for v in (rng.uniform(0, 1, n) < 0.7)]]
            g[-1][0] = 1.0
        more.append({"kind": "survival", "groups": g[:2], "level": 0.95})
        if n > 1:
            more += [{"kind": "logRank", "groups": g[:4]}, {"kind": "logRank", "groups": g}]
    for m, n, by in [(8, 11, 1.0), (8, 11, 0.0), (6, 6, 2.0), (20, 30, 0.7)]:
        for alternative in ("two-sided", "greater"):
            more.append({"kind": "power", "groups": [[m, n], [by]], "alternative": alternative, "seed": 5})
    return {"special": special, "rank-sum": ranks, "u-counts": counts, "signed-rank": signed, "groups": groups,
            "effects": effects, "more": more}


def store():
    import importlib.metadata as metadata
    import statsmodels
    folder = pathlib.Path(__file__).parent
    header = {"command": "python3 Tests/Fixtures/statistics/reference.py store", "python": platform.python_version(),
              "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
              "scikit-posthocs": metadata.version("scikit-posthocs"), "made": datetime.date.today().isoformat()}
    for name, cases in stored_cases().items():
        rows = ",\n".join(json.dumps(case | {"expected": evaluate(case)}, allow_nan=False) for case in cases)
        (folder / f"{name}.json").write_text('{"header": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(header), rows))
        print(name, len(cases), file=sys.stderr)


def live(source, target):
    cases = json.loads(pathlib.Path(source).read_text())
    pathlib.Path(target).write_text(json.dumps([evaluate(case) for case in cases], allow_nan=False))


if __name__ == "__main__":
    store() if sys.argv[1] == "store" else live(sys.argv[2], sys.argv[3])
