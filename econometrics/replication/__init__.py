"""What others need to repeat a table elsewhere: its models as data, and the scripts for Stata and R made from them."""

from econometrics.replication.models import ModelSpec, model_specs
from econometrics.replication.r import r_script
from econometrics.replication.stata import stata_do_file

__all__ = ["ModelSpec", "model_specs", "r_script", "stata_do_file"]
