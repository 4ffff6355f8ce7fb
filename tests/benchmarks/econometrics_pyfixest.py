"""A bootstrap loop over pyfixest, and one fit; run by the Python that has pyfixest, with nothing of this project.

python econometrics_pyfixest.py WEIGHTS.npy ANSWERS.json
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from econometrics_panel import CONTROLS, DESIGNS, firm_panel


def main() -> None:
    """Refit both equations in every draw, once with repeated rows and once with frequency weights."""
    warnings.simplefilter("ignore")
    import pyfixest as pf

    weights = np.load(sys.argv[1])
    data = firm_panel()
    firms = data["firm"].to_numpy()
    rest = " + ".join(CONTROLS)
    answers = {"version": pf.__version__, "fit": {}, "rows": {}, "weights": {}}
    options = {"copy_data": False, "store_data": False, "lean": True}

    def paths(sample, effect, **more):
        a = pf.feols(f"m ~ x + {rest} | firm + {effect}", sample, vcov="iid", **options, **more).coef()["x"]
        b = pf.feols(f"y ~ x + m + {rest} | firm + {effect}", sample, vcov="iid", **options, **more).coef()["m"]
        return [float(a), float(b)]

    for name, effect in DESIGNS.items():
        formula = f"y ~ x + m + {rest} | firm + {effect}"
        fits = []
        for _ in range(8):
            start = time.perf_counter()
            fit = pf.feols(formula, data, vcov={"CRV1": "firm"}, **options)
            fits.append(time.perf_counter() - start)
        answers["fit"][name] = {
            "seconds": min(fits[1:]),
            "error": float(fit.se()["x"]),
            "estimate": float(fit.coef()["x"]),
        }
        for way in ("rows", "weights"):
            seconds, found = [], []
            for number, weight in enumerate([weights[0], *weights]):
                start = time.perf_counter()
                if way == "rows":
                    found.append(paths(data.iloc[np.repeat(np.arange(len(data)), weight[firms])], effect))
                else:
                    sample = data.assign(w=weight[firms])
                    found.append(paths(sample[sample["w"] > 0], effect, weights="w", weights_type="fweights"))
                # The first pass warms up and is not counted.
                if number:
                    seconds.append(time.perf_counter() - start)
            answers[way][name] = {"seconds": min(seconds), "replicates": found[1:]}
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
