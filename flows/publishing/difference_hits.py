"""Which hits came and went, and why: matched by their place in the same text, else by term and sentence.

A hit that only one export has is the word list's work where its term stands in one list only, or where it overlaps
(shares a sentence with, in another text) such a hit; then the rule's, where the same sentence stands in both texts;
else that of the file or its reading. A hit that both have but that counts in one only was judged or placed otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd

from flows.publishing.difference_setting import Setting
from flows.publishing.difference_sides import HITS, Side
from nlp.scope import Scope, parse_scope
from shuzhi import UsageError

KEYS = "pair, dictionary, term, dimension"
PLACE = 'page, "offset", end_page, end_offset'
FLAGS = ("section", "subsection", "furniture", "is_published", "is_strict")
# Texts have no pages of a million characters; one number then orders the places of a text.
PAGE_LENGTH = 1_000_000_000

LOAD = """
    CREATE TABLE {table} AS
    SELECT pairs.pair, dictionary, term, dimension, {place}, {flags}, {sentence}
    FROM read_parquet($path) AS hits JOIN pairs ON hits.document_id = pairs.{document}
    WHERE pairs.has_moves AND pairs.by_place = {by_place} AND list_contains($dictionaries, dictionary)
"""
BY_PLACE = """
    INSERT INTO moves
    SELECT coalesce(a.pair, b.pair), coalesce(a.dictionary, b.dictionary), coalesce(a.term, b.term),
        coalesce(a.dimension, b.dimension), a.pair IS NOT NULL, b.pair IS NOT NULL, {both},
        coalesce(a.page, b.page)::BIGINT * {page_length} + coalesce(a."offset", b."offset"),
        coalesce(a.end_page, b.end_page)::BIGINT * {page_length} + coalesce(a.end_offset, b.end_offset),
        NULL, NULL, true, false
    FROM place_a AS a FULL JOIN place_b AS b
        ON a.pair = b.pair AND a.dictionary = b.dictionary AND a.term = b.term AND a.dimension = b.dimension
        AND a.page = b.page AND a."offset" = b."offset" AND a.end_page = b.end_page AND a.end_offset = b.end_offset
    WHERE a.pair IS NULL OR b.pair IS NULL OR {differ}
"""
# Line breaks fall elsewhere in another reader's text; the words are the same. Nested calls are faster than a pattern.
WITHOUT_SPACE = "replace(replace(replace(replace(sentence, ' ', ''), chr(10), ''), chr(13), ''), chr(9), '')"
# Sentences with the same hits on both sides, which are nearly all, need no closer look.
DROP_ALIKE = """
    CREATE TABLE alike AS
    SELECT a.said
    FROM (SELECT said, sum({signature}) AS signature FROM sentence_a GROUP BY said) AS a
        JOIN (SELECT said, sum({signature}) AS signature FROM sentence_b GROUP BY said) AS b
        ON a.said = b.said AND a.signature = b.signature
"""
# Shifted, so that a sum of them fits; hashed twice, so that the sum of two sets of hits is not the same by their form.
SIGNATURE = "hash(hash(dictionary, term, dimension, {flags})) >> 16"
# A sentence that stands n times in one text and m times in the other: the first of them stand in both.
BY_SENTENCE = """
    INSERT INTO moves
    WITH {sides},
    times AS (
        SELECT coalesce(a.pair, b.pair) AS pair, coalesce(a.said, b.said) AS said, least(a.times, b.times) AS times
        FROM (SELECT pair, said, max(time) AS times FROM a GROUP BY ALL) AS a
        FULL JOIN (SELECT pair, said, max(time) AS times FROM b GROUP BY ALL) AS b
            ON a.pair = b.pair AND a.said = b.said
    ),
    joined AS (
        SELECT coalesce(a.pair, b.pair) AS pair, coalesce(a.dictionary, b.dictionary) AS dictionary,
            coalesce(a.term, b.term) AS term, coalesce(a.dimension, b.dimension) AS dimension,
            a.pair IS NOT NULL AS is_a, b.pair IS NOT NULL AS is_b, {both}, 0 AS starts, 0 AS ends,
            coalesce(a.said, b.said) AS said, coalesce(a.time, b.time) AS time
        FROM a FULL JOIN b ON a.pair = b.pair AND a.dictionary = b.dictionary AND a.term = b.term
            AND a.dimension = b.dimension AND a.said = b.said AND a.time = b.time AND a.nth = b.nth
        WHERE a.pair IS NULL OR b.pair IS NULL OR {differ}
    )
    SELECT joined.*, false, coalesce(time <= times, false) FROM joined JOIN times USING (pair, said)
"""
ONE_SIDE = """
    {side} AS (
        SELECT *, row_number() OVER (PARTITION BY {keys}, said, time ORDER BY {place}) AS nth FROM (
            SELECT *, dense_rank() OVER (PARTITION BY pair, said ORDER BY sentence_page, sentence_offset) AS time
            FROM sentence_{side} ANTI JOIN alike USING (said)
        )
    )
"""
MOVES = """
    CREATE TABLE moves (
        pair INTEGER, dictionary VARCHAR, term VARCHAR, dimension VARCHAR, is_a BOOLEAN, is_b BOOLEAN, {flags},
        starts BIGINT, ends BIGINT, said UBIGINT, time BIGINT, by_place BOOLEAN, is_sentence_known BOOLEAN
    )
"""
FLAG_TYPES = {
    "section": "VARCHAR",
    "subsection": "VARCHAR",
    "furniture": "VARCHAR",
    "is_published": "BOOLEAN",
    "is_strict": "BOOLEAN",
}
# Overlapping hits of one text form an island; the list is behind all of an island that has a term of one list only.
TOUCHED = """
    CREATE TABLE touched AS
    WITH only_one AS (
        SELECT moves.rowid AS row, pair, dictionary, starts, ends, said, time, by_place,
            EXISTS (
                SELECT 1 FROM changed_terms AS c
                WHERE c.dictionary = moves.dictionary AND c.dimension = moves.dimension AND c.term = moves.term
            ) AS is_changed_term
        FROM moves WHERE is_a <> is_b AND dictionary IN (SELECT dictionary FROM changed_terms)
    ),
    broken AS (
        SELECT *, CASE WHEN by_place THEN starts > max(ends) OVER (
            PARTITION BY pair, dictionary, by_place ORDER BY starts, ends
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) ELSE false END AS is_new FROM only_one
    ),
    islands AS (
        SELECT *, sum(CASE WHEN is_new THEN 1 ELSE 0 END) OVER (
            PARTITION BY pair, dictionary, by_place ORDER BY starts, ends ROWS UNBOUNDED PRECEDING
        ) AS island FROM broken
    )
    SELECT row, is_changed_term, bool_or(is_changed_term) OVER (
        PARTITION BY pair, dictionary, by_place, CASE WHEN by_place THEN island ELSE 0 END,
            CASE WHEN by_place THEN 0 ELSE said END, CASE WHEN by_place THEN 0 ELSE time END
    ) AS is_touched FROM islands
"""
CAUSED = """
    CREATE TABLE caused AS
    SELECT moves.*, CASE
        WHEN is_a AND is_b THEN ''
        WHEN is_changed_term OR (is_touched AND (moves.by_place OR is_sentence_known)) THEN 'dictionary'
        WHEN moves.by_place THEN CASE
            WHEN s.is_rule THEN 'rule'
            WHEN s.is_dictionary AND pairs.read_cause = '' THEN 'dictionary'
            WHEN s.is_matching THEN 'software'
            WHEN pairs.read_cause <> '' THEN pairs.read_cause
            WHEN s.is_dictionary THEN 'dictionary'
            WHEN s.is_software THEN 'software'
            ELSE 'unexplained' END
        WHEN is_sentence_known AND s.is_rule THEN 'rule'
        WHEN is_sentence_known AND s.is_matching THEN 'software'
        ELSE pairs.main_cause END AS only_cause,
        CASE
            WHEN NOT pairs.is_same THEN CASE WHEN s.is_judging THEN 'keep' ELSE pairs.main_cause END
            WHEN s.is_judging OR NOT s.knows_measuring THEN 'keep'
            WHEN pairs.main_cause <> '' THEN pairs.main_cause
            WHEN s.is_rule THEN 'rule'
            WHEN s.is_dictionary THEN 'dictionary'
            WHEN s.is_software THEN 'software'
            ELSE 'unexplained' END AS keep_cause,
        CASE WHEN pairs.main_cause <> '' THEN pairs.main_cause ELSE 'reading' END AS part_cause
    FROM moves JOIN pairs USING (pair) JOIN settings AS s USING (dictionary)
        LEFT JOIN touched ON touched.row = moves.rowid
"""


def find_moves(connection: duckdb.DuckDBPyConnection, pairs: pd.DataFrame, setting: Setting) -> None:
    """Make the table ``caused``: the hits of some firm-years that only one export has, or that changed, with causes.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the tables ``pairs``, ``settings``, ``changed_terms`` and ``caused``.
    pairs : DataFrame
        One row a firm-year: pair, a_document_id, b_document_id, has_moves (a numerator changed, so that its hits
        are looked at), by_place (the same text in both), is_same, read_cause, main_cause.
    setting : Setting
        What else differs.
    """
    _insert(connection, "pairs", pairs)
    _insert(connection, "settings", settings_frame(setting))
    _insert(connection, "changed_terms", changed_terms(connection, setting))
    connection.execute(MOVES.format(flags=", ".join(f"{s}_{name} {FLAG_TYPES[name]}" for name in FLAGS for s in "ab")))
    both = ", ".join(f"a.{name} AS a_{name}, b.{name} AS b_{name}" for name in FLAGS)
    differ = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in FLAGS)
    for side, letter in ((setting.before, "a"), (setting.after, "b")):
        _load(connection, side, letter, setting.shared)
    sides = ",".join(ONE_SIDE.format(side=side, keys=KEYS, place=PLACE) for side in "ab")
    words = {"both": both, "differ": differ, "sides": sides, "page_length": PAGE_LENGTH}
    connection.execute(BY_PLACE.format(**words))
    connection.execute(DROP_ALIKE.format(signature=SIGNATURE.format(flags=", ".join(FLAGS))))
    connection.execute(BY_SENTENCE.format(**words))
    for table in ("place_a", "place_b", "sentence_a", "sentence_b", "alike"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute(TOUCHED)
    connection.execute(CAUSED)


def _load(connection: duckdb.DuckDBPyConnection, side: Side, letter: str, dictionaries: Sequence[str]) -> None:
    values = {"path": side.path(HITS), "dictionaries": list(dictionaries)}
    said = f"hash(pairs.pair, {WITHOUT_SPACE}) AS said, sentence_page, sentence_offset"
    for table, by_place, sentence in (("place", "true", "NULL AS said"), ("sentence", "false", said)):
        query = LOAD.format(
            table=f"{table}_{letter}",
            place=PLACE,
            flags=", ".join(FLAGS),
            sentence=sentence,
            document=f"{letter}_document_id",
            by_place=by_place,
        )
        connection.execute(query, values)


def _insert(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    connection.register("incoming", frame)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    connection.unregister("incoming")


def settings_frame(setting: Setting) -> pd.DataFrame:
    """Return what differs between the two exports for each list that both have, as true and false."""
    rows = [
        {
            "dictionary": name,
            "is_dictionary": bool(setting.dictionary(name)),
            "is_rule": bool(setting.rule_or_script(name)),
            "is_matching": bool(setting.matching(name)),
            "is_judging": bool(setting.judging(name)),
            "knows_measuring": setting.knows_measuring(name),
            "is_software": bool(setting.software),
        }
        for name in setting.shared
    ]
    columns = ["dictionary", "is_dictionary", "is_rule", "is_matching", "is_judging", "knows_measuring", "is_software"]
    types = {name: "str" if name == "dictionary" else "bool" for name in columns}
    return pd.DataFrame(rows, columns=columns).astype(types)


def changed_terms(connection: duckdb.DuckDBPyConnection, setting: Setting) -> pd.DataFrame:
    """Return the terms that only one of two versions of a list has, or has in another dimension.

    Where an export does not hold its terms, those that have hits in it stand for them.
    """
    rows = []
    for name in setting.shared:
        if setting.dictionary(name):
            first, second = (_terms(connection, side, name) for side in (setting.before, setting.after))
            rows += [(name, dimension, term) for dimension, term in sorted(first ^ second)]
    return pd.DataFrame(rows, columns=["dictionary", "dimension", "term"], dtype="str")


def _terms(connection: duckdb.DuckDBPyConnection, side: Side, name: str) -> set[tuple[str, str]]:
    listed = side.terms(name)
    if listed is not None:
        return {(dimension, term) for dimension, terms in listed.items() for term in terms}
    query = "SELECT DISTINCT dimension, term FROM read_parquet($path) WHERE dictionary = $name"
    found: list[tuple[str, str]] = connection.execute(query, {"path": side.path(HITS), "name": name}).fetchall()
    return set(found)


def known_scopes(names: Sequence[str]) -> list[Scope]:
    """Return the parts of a report of which this version knows which hits count in them."""
    scopes = []
    for name in names:
        try:
            scopes.append(parse_scope(name))
        except UsageError:
            continue
    return scopes


def part_condition(scope: Scope, side: str) -> str:
    """Return the condition in SQL that a hit of one side stands in a part of the report."""
    if scope.mode == "report":
        return "true"
    is_text = f"coalesce({side}_furniture, '') = ''"
    if scope.mode == "body":
        return is_text
    is_inside = f"(list_contains($kinds, {side}_section) OR list_contains($kinds, {side}_subsection))"
    is_wanted = f"NOT coalesce({is_inside}, false)" if scope.mode == "without" else f"coalesce({is_inside}, false)"
    return f"({is_text} AND {is_wanted})"


def keep_condition(scope: Scope, side: str) -> str:
    """Return the condition in SQL that a hit of one side is kept."""
    return "true" if scope.keep == "raw" else f"coalesce({side}_is_{scope.keep}, false)"


def count_moves(connection: duckdb.DuckDBPyConnection, scopes: Sequence[Scope]) -> None:
    """Make the table ``components``: net and gross change of hits by firm-year, list, scope, dimension, cause, term."""
    connection.execute(
        "CREATE TABLE components (pair INTEGER, dictionary VARCHAR, scope VARCHAR, dimension VARCHAR, cause VARCHAR,"
        " term VARCHAR, net BIGINT, gross BIGINT)"
    )
    for scope in scopes:
        values: dict[str, Any] = {"scope": scope.name}
        if scope.kinds:
            values["kinds"] = list(scope.kinds)
        connection.execute(_count_query(scope), values)


def _count_query(scope: Scope) -> str:
    part_a, part_b = part_condition(scope, "a"), part_condition(scope, "b")
    keep_a, keep_b = keep_condition(scope, "a"), keep_condition(scope, "b")
    return f"""
        INSERT INTO components
        WITH inside AS (
            SELECT *, is_a AND {part_a} AND {keep_a} AS counts_a, is_b AND {part_b} AND {keep_b} AS counts_b,
                ({part_a}) <> ({part_b}) AS is_part
            FROM caused
        ),
        moved AS (
            SELECT pair, dictionary, dimension, term, counts_b::INTEGER - counts_a::INTEGER AS step,
                CASE WHEN is_a <> is_b THEN only_cause WHEN is_part THEN part_cause ELSE keep_cause END AS cause
            FROM inside WHERE counts_a <> counts_b
        ),
        counted AS (
            SELECT pair, dictionary, dimension, cause, term, sum(step) AS net, count(*) AS gross FROM moved GROUP BY ALL
            UNION ALL
            SELECT pair, dictionary, 'total', cause, term, sum(step), count(*) FROM moved
            GROUP BY pair, dictionary, cause, term
        )
        SELECT pair, dictionary, $scope, dimension, cause, term, net, gross FROM counted
    """
