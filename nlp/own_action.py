"""How likely a hit is the filer's own action: a small logistic regression, shipped as numbers and read without pickle.

Two questions: is the hit the filer's action, done or planned; and is it done. Both see character n-grams on each side
of the hit, the rules that fired, the section, the place, and a few cues. Training is in :mod:`nlp.own_action_training`
and needs scikit-learn; what is here needs numpy alone.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlp.context import FilerNames, Flags, flag_hit
from nlp.context_rules import FLAG_NAMES, HitContext, Views
from shuzhi import DictionaryError

MODEL_FILE = "context_model.npz"
MODEL_FORMAT = 1
BUCKETS = 1 << 14
TARGETS = ("own_or_plan", "done")
# How far the n-grams reach: near ones in order of distance, far ones within the sentence.
NEAR, FAR = 10, 60
# Weight of one dense feature beside a block of n-grams, whose length is one.
DENSE_WEIGHT = 0.7
_OWN = re.compile("本公司|我公司|公司|本行|我行|本集团|集团|我们|本司|全行")
_CUES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (name, text, re.compile(pattern))
    for name, text, pattern in (
        ("own_subject", "clause_left", _OWN.pattern),
        ("own_subject", "stretch_left", _OWN.pattern),
        ("own_subject", "stretch", _OWN.pattern),
        ("done", "stretch", "(?<![为除])了(?![解望])|已|成功|完成|报告期|截至|目前|上线|投产|荣获|获得|建成"),
        ("done", "clause_left", "(?<![为除])了(?![解望])|已|成功|完成"),
        ("going_on", "clause_left", "持续|不断|继续|加快|加强|加大|推进|推动|深化|积极|大力|稳步|逐步"),
        ("going_on_now", "left", ".*(?:持续|不断|正在|充分|积极)[^，。]{0,8}"),
        ("ahead", "stretch", "将(?:会|继续|进一步|以|通过|加|推)|拟|计划|未来|力争|争取|下一|今后|展望|目标"),
        (
            "verb_at_start",
            "clause_left",
            "^(?:加[快强]|推[进动]|打造|建[设立]|构建|通过|[利运]用|采用|以|引进|开展|完善|优化)",
        ),
        ("state", "stretch", "国家|国务院|政府|政策|规划|监管|部门"),
        ("industry", "stretch", "行业|市场|产业|全球|趋势|时代|随着"),
        ("industry", "clause_left", "行业|市场|产业|全球|趋势|时代|随着"),
        ("should", "stretch", "必须|需要|应当|要求|迫切|意识|面临|挑战|机遇"),
        ("figures", "window", "[0-9],[0-9]{3}(?:[.,][0-9]+)?.{0,30}[0-9],[0-9]{3}"),
        ("percent", "stretch", "[0-9]%|亿元|万元|万户|同比"),
        ("subsidy", "window", "补助|补贴|专项资金|与收益相关|与资产相关|其他收益|递延收益"),
        ("own_subject", "window", f"(?<![一-鿿])公司|{_OWN.pattern.replace('|公司', '').replace('|集团', '')}"),
        ("nation", "clause_left", "我国|全国|全球|世界|国际|各国|各地|各级|各行各业|社会"),
        ("carrier", "stretch", "国家电网|国网|南方电网|运营商|中国移动|中国电信|华为|阿里|腾讯|铁路总公司"),
        ("product", "right", "(?:系统|平台|设备|装置|产品|技术|装备|机器人|项目|工程)"),
        ("list", "left", "[一-鿿]、"),
        ("quoted", "left", "[“《「]"),
    )
)
Vector = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _bucket(token: str) -> int:
    return crc32(token.encode("utf-8")) % BUCKETS


def _grams(text: str, sizes: Iterable[int]) -> list[str]:
    return [text[place : place + size] for size in sizes for place in range(len(text) - size + 1)]


def tokens_of(context: HitContext, names: FilerNames, flags: Flags) -> list[tuple[str, list[str]]]:
    """Return the features of a hit as named tokens: two blocks of n-grams on each side, then the dense ones.

    Parameters
    ----------
    context : HitContext
        The hit.
    names : FilerNames
        What the filer is called; its brand counts as the word 公司, so that nothing is learned of one firm.
    flags : Flags
        From :func:`nlp.context.flag_hit`.

    Returns
    -------
    list of (str, list of str)
        Name of a block and its tokens.
    """
    views = Views(context, names.brands())
    left, right = _neutral(views["stretch_left"], names), _neutral(views["stretch"].rpartition(" ")[2], names)
    blocks = [
        ("near_left", _grams(left[-NEAR:], (1, 2, 3))),
        ("near_right", _grams(right[:NEAR], (1, 2, 3))),
        ("far_left", _grams(left[-FAR:], (2, 3))),
        ("far_right", _grams(right[:FAR], (2, 3))),
    ]
    dense = [f"flag {name}" for name in FLAG_NAMES if getattr(flags, name)]
    dense += [f"rule {rule.partition(':')[2]}" for rule in flags.rules.split()]
    dense += [f"section {context.section}", f"subsection {context.subsection}", f"outlook {context.outlook}"]
    dense += [f"fifth {int(5 * min(context.position, 0.999))}", f"any {flags.any}"]
    dense += [f"cue {name} {text}" for name, text, pattern in _CUES if pattern.search(views[text])]
    dense += [f"names filer {any(brand in views['stretch'] for brand in views.brands)}"]
    return [*blocks, ("dense", dense)]


def _neutral(text: str, names: FilerNames) -> str:
    for brand in names.brands():
        text = text.replace(brand, "公司")
    return re.sub("[0-9]+", "0", text)


def vector_of(context: HitContext, names: FilerNames, flags: Flags | None = None) -> Vector:
    """Return the features of a hit as buckets and values.

    Parameters
    ----------
    context : HitContext
        The hit.
    names : FilerNames
        What the filer is called.
    flags : Flags, optional
        From :func:`nlp.context.flag_hit`; computed where not given.

    Returns
    -------
    buckets : array of int64, shape (k,)
        Distinct, ascending.
    values : array of float64, shape (k,)
        Each block of n-grams has Euclidean length 1.
    """
    flags = flags if flags is not None else flag_hit(context, names)
    sums: dict[int, float] = {}
    for name, tokens in tokens_of(context, names, flags):
        distinct = sorted(set(tokens))
        value = DENSE_WEIGHT if name == "dense" else 1 / max(1.0, float(np.sqrt(len(distinct))))
        for token in distinct:
            bucket = _bucket(f"{name} {token}")
            sums[bucket] = sums.get(bucket, 0.0) + value
    buckets = sorted(sums)
    return np.asarray(buckets, dtype=np.int64), np.asarray([sums[bucket] for bucket in buckets], dtype=np.float64)


@dataclass(frozen=True)
class OwnActionModel:
    """Weights and calibration of both questions.

    Parameters
    ----------
    weights : array of float64, shape (2, 16384)
        Of ``own_or_plan`` and ``done``.
    intercepts : array of float64, shape (2,)
        Of the same.
    slopes, offsets : array of float64, shape (2,)
        Calibration: probability = 1 / (1 + exp(-(slope * score + offset))), fitted on scores of unseen firms.
    thresholds : array of float64, shape (2,)
        Probability at which 85 % of the hits that are so are found, on unseen firms.
    version : str
        Hash of the data and rules it was trained on.
    """

    weights: npt.NDArray[np.float64]
    intercepts: npt.NDArray[np.float64]
    slopes: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.float64]
    version: str

    @property
    def strict_threshold(self) -> float:
        """Probability of ``done`` from which the preset ``strict`` keeps a hit."""
        return float(self.thresholds[1])

    def scores(self, vectors: Sequence[Vector]) -> npt.NDArray[np.float64]:
        """Return the uncalibrated scores, shape (hits, 2)."""
        result = np.tile(self.intercepts, (len(vectors), 1))
        for row, (buckets, values) in enumerate(vectors):
            result[row] += self.weights[:, buckets] @ values
        return result

    def probabilities(self, vectors: Sequence[Vector]) -> npt.NDArray[np.float64]:
        """Return calibrated probabilities of ``own_or_plan`` and ``done``, shape (hits, 2); done at most the other."""
        both = 1 / (1 + np.exp(-(self.slopes * self.scores(vectors) + self.offsets)))
        both[:, 1] = np.minimum(both[:, 1], both[:, 0])
        return both

    def to_bytes(self) -> bytes:
        """Return the artefact: a compressed NumPy archive of plain arrays, the same bytes for the same numbers."""
        used = np.flatnonzero(self.weights.any(axis=0))
        about = {"format": MODEL_FORMAT, "version": self.version, "targets": list(TARGETS), "buckets": BUCKETS}
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            about=np.frombuffer(json.dumps(about, sort_keys=True).encode("utf-8"), dtype=np.uint8),
            used=used.astype(np.int32),
            weights=self.weights[:, used],
            intercepts=self.intercepts,
            slopes=self.slopes,
            offsets=self.offsets,
            thresholds=self.thresholds,
        )
        return buffer.getvalue()


def read_model(data: bytes) -> OwnActionModel:
    """Read an artefact that :meth:`OwnActionModel.to_bytes` wrote; nothing in it is executed.

    Raises
    ------
    DictionaryError
        If it is of another format.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes().decode("utf-8"))
        if about.get("format") != MODEL_FORMAT or about.get("buckets") != BUCKETS:
            raise DictionaryError(
                f"{MODEL_FILE} has format {about.get('format')} and this version reads {MODEL_FORMAT}; "
                "train it again with python -m tests.benchmarks.context --train"
            )
        weights = np.zeros((len(TARGETS), BUCKETS))
        weights[:, arrays["used"]] = arrays["weights"]
        return OwnActionModel(
            weights,
            arrays["intercepts"].copy(),
            arrays["slopes"].copy(),
            arrays["offsets"].copy(),
            arrays["thresholds"].copy(),
            str(about["version"]),
        )


@lru_cache(maxsize=1)
def own_action_model() -> OwnActionModel:
    """Read the artefact that ships, once a process."""
    return read_model(files("nlp").joinpath("data", MODEL_FILE).read_bytes())
