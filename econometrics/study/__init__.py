"""A study: a specification run over a panel, part by part; what fails is said and does not stop the others."""

from econometrics.spec.vocabulary import Failure
from econometrics.study.results import StudyResults
from econometrics.study.runner import Progress, run
from econometrics.study.sample import prepare_sample
from econometrics.study.tables import build_table, build_tables

__all__ = ["Failure", "Progress", "StudyResults", "build_table", "build_tables", "prepare_sample", "run"]
