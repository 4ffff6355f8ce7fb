"""What hits are judged to be in a small text, and that a text of nothing but hits is judged in part only."""

from flows.judge import MOST_JUDGED, Judge
from flows.places import Places, place_marks
from nlp.clean import clean
from nlp.context import FilerNames
from nlp.match import Matcher

PLACE = {"section": "mda", "subsection": "", "furniture": ""}


def judged(text, wu2021, names=None):
    cleaned = clean([text])
    matches = Matcher(wu2021, "longest").find(cleaned)
    sentences = [cleaned.sentence_of(match.start, match.end)[1:] for match in matches]
    judge = Judge(cleaned, names or FilerNames("示例股份有限公司", "示例股份"), "as_printed")
    return judge.judge(matches, [PLACE] * len(matches), sentences)


def test_a_name_is_no_action_and_a_deed_is_one(wu2021):
    name, deed = judged("联营企业：贵州茅台集团电子商务股份有限公司。报告期内，公司建成大数据平台并投入使用。", wu2021)
    assert (name["org_name"], name["is_published"], name["is_strict"]) == (True, False, False)
    assert name["flag_rules"].startswith("org_name:")
    assert (deed["org_name"], deed["is_published"], deed["kind"]) == (False, True, "own_action")
    assert 0 <= deed["own_done"] <= deed["own_or_planned"] <= 1


def test_a_text_of_nothing_but_hits_is_judged_in_part(wu2021):
    found = judged("大数据" * (MOST_JUDGED + 5), wu2021)
    assert len(found) == MOST_JUDGED + 5
    assert {hit["flag_rules"] for hit in found[MOST_JUDGED:]} == {"unjudged:too_many_hits"}
    assert not any(hit["is_published"] or hit["is_strict"] for hit in found[MOST_JUDGED:])
    assert found[0]["flag_rules"] != "unjudged:too_many_hits"


def test_places_know_nothing_of_a_text_without_sections():
    assert Places([0], [], place_marks([], [0])).at(3) == {"section": "", "subsection": "", "furniture": ""}
