"""Every changed number with its cause: the hits that came and went, the lengths behind it, or why it is missing."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pandas as pd

from flows.publishing.difference_hits import count_moves, find_moves, known_scopes
from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import LONG

# Named in a detail; how many more there are is said.
MOST_TERMS = 6
CHANGED = """
    CREATE TABLE changed AS
    SELECT row_number() OVER () AS row, a.stock_code, a.report_year,
        a.index, b.dictionary, b.scope, b.dimension, b.measure, b.denominator_unit AS unit,
        nullif(a.value, 'nan'::DOUBLE) AS before, nullif(b.value, 'nan'::DOUBLE) AS after,
        a.numerator AS n_a, b.numerator AS n_b, a.denominator AS d_a, b.denominator AS d_b,
        a.reason AS reason_a, b.reason AS reason_b
    FROM read_parquet($before) AS a JOIN read_parquet($after) AS b
        ON a.stock_code = b.stock_code AND a.report_year = b.report_year AND a.index = b.index
    WHERE nullif(a.value, 'nan'::DOUBLE) IS DISTINCT FROM nullif(b.value, 'nan'::DOUBLE)
"""
TOUCHED = """
    SELECT stock_code, report_year, coalesce(bool_or(n_a <> n_b), false) AS has_moves FROM changed GROUP BY ALL
"""
PAIRED = """
    CREATE TABLE cells AS
    SELECT changed.*, pair_of.pair FROM changed JOIN pair_of USING (stock_code, report_year)
"""
# The hits must give the change of the index; what they do not give is shown, never hidden.
REMAINDERS = """
    INSERT INTO components
    WITH wanted AS (
        SELECT DISTINCT pair, dictionary, scope, dimension, n_b - n_a AS step FROM cells
        WHERE measure <> 'sentence_share' AND n_a IS NOT NULL AND n_b IS NOT NULL
    ),
    found AS (SELECT pair, dictionary, scope, dimension, sum(net) AS net FROM components GROUP BY ALL)
    SELECT pair, dictionary, scope, dimension,
        CASE WHEN list_contains($known, scope) THEN 'unexplained'
            WHEN pairs.main_cause <> '' THEN pairs.main_cause ELSE fallbacks.cause END,
        '', step - coalesce(net, 0), abs(step - coalesce(net, 0))
    FROM wanted LEFT JOIN found USING (pair, dictionary, scope, dimension)
        JOIN pairs USING (pair) JOIN fallbacks USING (dictionary)
    WHERE step <> coalesce(net, 0)
"""
HIT_WORDS = """
    CREATE TABLE hit_words AS
    WITH ordered AS (
        SELECT *, row_number() OVER (
            PARTITION BY pair, dictionary, scope, dimension, cause ORDER BY abs(net) DESC, term
        ) AS place FROM components WHERE net <> 0
    ),
    named AS (
        SELECT pair, dictionary, scope, dimension, cause,
            string_agg(
                CASE WHEN net > 0 THEN '+' ELSE '' END || net || ' '
                || CASE WHEN term = '' THEN 'hits that hits.parquet does not show' ELSE term END,
                ', ' ORDER BY place
            ) FILTER (place <= $most) AS terms, greatest(count(*) - $most, 0) AS more
        FROM ordered GROUP BY ALL
    ),
    sums AS (
        SELECT pair, dictionary, scope, dimension, cause, sum(net) AS net, sum(abs(net)) AS moved,
            sum(gross) AS gross
        FROM components GROUP BY ALL
    )
    SELECT sums.*, CASE WHEN terms IS NULL THEN 'hits in other sentences'
        WHEN more > 0 THEN terms || ' and ' || more || ' more terms' ELSE terms END AS words
    FROM sums LEFT JOIN named USING (pair, dictionary, scope, dimension, cause)
"""
PARTS = """
    CREATE TABLE parts AS
    SELECT row, hit_words.cause, words, 1.0 / coalesce(d_a, 1)
            * CASE WHEN measure = 'sentence_share' THEN gross ELSE abs(net) + 1e-6 * moved END AS weight
    FROM cells JOIN hit_words USING (pair, dictionary, scope, dimension)
    WHERE before IS NOT NULL AND after IS NOT NULL AND n_a <> n_b
        AND (hit_words.moved > 0 OR measure = 'sentence_share')
    UNION ALL
    SELECT row, CASE WHEN pairs.main_cause <> '' THEN pairs.main_cause WHEN scope NOT SIMILAR TO 'report(:.*)?'
            THEN 'reading' ELSE 'unexplained' END,
        CASE unit WHEN 'chinese_characters' THEN 'Chinese characters' WHEN 'tokens' THEN 'words' ELSE unit END
            || CASE WHEN scope SIMILAR TO 'report(:.*)?' THEN '' ELSE ' of ' || scope END
            || ' ' || format('{:,}', d_a) || ' -> ' || format('{:,}', d_b),
        n_b * abs(1.0 / d_b - 1.0 / d_a)
    FROM cells JOIN pairs USING (pair)
    WHERE before IS NOT NULL AND after IS NOT NULL AND d_a <> d_b
    UNION ALL
    SELECT row, CASE WHEN pairs.main_cause <> '' THEN pairs.main_cause WHEN reason_a <> reason_b THEN 'reading'
            ELSE fallbacks.cause END,
        CASE WHEN before IS NULL THEN 'missing before (' || coalesce(reason_a, '') || ')'
            ELSE 'missing now (' || coalesce(reason_b, '') || ')' END, 1.0
    FROM cells JOIN pairs USING (pair) JOIN fallbacks USING (dictionary)
    WHERE before IS NULL OR after IS NULL
"""
# A number that nothing so far explains: other sentences around the same hits, or other arithmetic.
REST = """
    INSERT INTO parts
    SELECT row, CASE WHEN pairs.main_cause <> '' THEN pairs.main_cause ELSE fallbacks.cause END,
        CASE WHEN n_a <> n_b THEN 'sentences with hits ' || format('{:,}', n_a) || ' -> ' || format('{:,}', n_b)
            ELSE 'the same hits and lengths give another value' END, 1.0
    FROM cells JOIN pairs USING (pair) JOIN fallbacks USING (dictionary)
    WHERE row NOT IN (SELECT row FROM parts)
"""
# A value that its own numerator and denominator do not give: whatever else changed, this needs a look.
WRONG = """
    INSERT INTO parts
    SELECT row, CASE WHEN $is_software THEN 'software' ELSE 'unexplained' END,
        'the value is not what its hits and lengths give', 'infinity'::DOUBLE
    FROM (
        SELECT row, measure, unnest([before, after]) AS value, unnest([n_a, n_b]) AS n, unnest([d_a, d_b]) AS d
        FROM cells
    )
    WHERE value IS NOT NULL AND abs(value - CASE measure
            WHEN 'count' THEN n WHEN 'log1p' THEN ln(1 + n) WHEN 'per_10k_chars' THEN 10000 * n / d
            WHEN 'per_1k_tokens' THEN 1000 * n / d WHEN 'sentence_share' THEN n / d ELSE value END
        ) > 1e-9 * (1 + abs(value))
    GROUP BY row
"""
EXPLAINED = """
    CREATE TABLE explained AS
    WITH counted AS (SELECT row, count(*) > 1 AS is_several FROM parts GROUP BY row),
    by_cause AS (
        SELECT row, cause, sum(weight) AS weight, string_agg(DISTINCT words, ', ' ORDER BY words) AS words, is_several
        FROM parts JOIN counted USING (row) WHERE is_several GROUP BY ALL
        UNION ALL
        SELECT row, cause, weight, words, is_several FROM parts JOIN counted USING (row) WHERE NOT is_several
    ),
    worded AS (
        SELECT by_cause.row, by_cause.cause, weight, rank, is_several,
            CASE WHEN said = '' THEN words ELSE said || ': ' || words END AS words
        FROM (
            SELECT by_cause.*, coalesce(
                CASE WHEN by_cause.cause = pairs.main_cause THEN pairs.main_detail END, reasons.words,
                CASE WHEN by_cause.cause = 'reading' THEN 'sections of the same text' ELSE '' END
            ) AS said
            FROM by_cause JOIN cells USING (row) JOIN pairs USING (pair)
                LEFT JOIN reasons ON reasons.dictionary = cells.dictionary AND reasons.cause = by_cause.cause
        ) AS by_cause JOIN ranks ON ranks.cause = by_cause.cause
    )
    SELECT row, arg_max(cause, (weight, -rank)) AS cause, string_agg(words, '; ' ORDER BY weight DESC, rank) AS detail
    FROM worded WHERE is_several GROUP BY row
    UNION ALL
    SELECT row, cause, words FROM worded WHERE NOT is_several
"""
VALUES = """
    SELECT stock_code, report_year, index, before, after, cause, detail
    FROM cells JOIN explained USING (row) ORDER BY stock_code, report_year, index
"""


def explain_values(connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Return every number that two exports have both, and that differs, with its cause.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Works in tables of its own.
    pairs : DataFrame
        As :func:`flows.publishing.difference_pairs.explain_pairs` gives them.
    setting : Setting
        What differs between the exports as wholes.

    Returns
    -------
    DataFrame
        stock_code, report_year, index, before, after (NaN where missing), cause, detail.
    """
    paths = {"before": setting.before.path(LONG), "after": setting.after.path(LONG)}
    connection.execute(CHANGED, paths)
    _insert(connection, "ranks", ranks())
    chosen = pair_frame(connection, pairs)
    _insert(connection, "pair_of", chosen[["stock_code", "report_year", "pair"]])
    connection.execute(PAIRED)
    find_moves(connection, chosen.drop(columns=["stock_code", "report_year"]), setting)
    scopes = known_scopes([name for name in setting.before.scopes if name in setting.after.scopes])
    count_moves(connection, scopes)
    _insert(connection, "fallbacks", fallbacks(setting))
    _insert(connection, "reasons", reasons(setting))
    connection.execute(REMAINDERS, {"known": [scope.name for scope in scopes]})
    connection.execute(HIT_WORDS, {"most": MOST_TERMS})
    connection.execute(PARTS)
    connection.execute(REST)
    connection.execute(WRONG, {"is_software": bool(setting.software)})
    connection.execute(EXPLAINED)
    found = connection.execute(VALUES).df()
    return found.astype({"report_year": "int64", "before": "float64", "after": "float64"})


def pair_frame(connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the firm-years with a changed number, numbered, with what is behind each of them."""
    touched = connection.execute(TOUCHED).df()
    touched["report_year"] = touched["report_year"].astype("int64")
    chosen = pairs.merge(touched, on=["stock_code", "report_year"])
    is_file = chosen["file_cause"] != ""
    return pd.DataFrame(
        {
            "stock_code": chosen["stock_code"],
            "report_year": chosen["report_year"],
            "pair": range(len(chosen)),
            "a_document_id": chosen["a_document_id"],
            "b_document_id": chosen["b_document_id"],
            "has_moves": chosen["has_moves"],
            "is_same": chosen["is_same"],
            "by_place": chosen["is_same"] & ~chosen["is_text_changed"],
            "read_cause": chosen["read_cause"],
            "main_cause": chosen["file_cause"].where(is_file, chosen["read_cause"]),
            "main_detail": chosen["file_detail"].where(is_file, chosen["read_detail"]),
        }
    )


def ranks() -> pd.DataFrame:
    """Return which cause goes first where two weigh the same."""
    from flows.publishing.difference_result import RANK

    return pd.DataFrame({"cause": list(RANK), "rank": list(RANK.values())})


def fallbacks(setting: Setting) -> pd.DataFrame:
    """Return for each list the cause that is left where neither file nor text nor hits say more."""
    rows = []
    for name in setting.shared:
        cause = "unexplained"
        if setting.rule_or_script(name):
            cause = "rule"
        elif setting.dictionary(name):
            cause = "dictionary"
        elif setting.judging(name):
            cause = "keep"
        elif setting.matching(name) or setting.software:
            cause = "software"
        rows.append((name, cause))
    return pd.DataFrame(rows, columns=["dictionary", "cause"], dtype="str")


def reasons(setting: Setting) -> pd.DataFrame:
    """Return what to say of each cause that is the same for all firm-years."""
    rows = [(name, cause, words) for name in setting.shared for cause, words in _reasons(setting, name).items()]
    return pd.DataFrame(rows, columns=["dictionary", "cause", "words"], dtype="str")


def _reasons(setting: Setting, name: str) -> Mapping[str, str]:
    software = setting.matching(name) or setting.software
    return {
        "dictionary": setting.dictionary(name),
        "rule": setting.rule_or_script(name),
        "keep": setting.judging(name) or "the same hits are judged otherwise",
        "software": software,
        "unexplained": f"no cause found{f' (versions: {setting.software})' if setting.software else ''}",
    }


def _insert(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    connection.register("incoming", frame)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    connection.unregister("incoming")
