"""Industrial clusters: from microdata to a map of clusters, and from the map to listed firms.

::

    establishments = standard_microdata(file)                                 what was odd is counted
    mapped = harmonise(establishments.data, target_year=2010, target_scheme="gbt4754_2011")   codes of one list
    clusters = identify_clusters(mapped.data, "location_quotient", quotient=1.25)
    firms = attach_clusters(listed_firms, clusters, lag=10, cluster_places=2010)      which cluster, ten years before

Every method returns the same :class:`ClusterMap`: place, industry, year, is_cluster, cluster_size, cluster_strength.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args

import pandas as pd

from econometrics.clusters.density import density_clusters
from econometrics.clusters.map import ClusterMap
from econometrics.clusters.quotient import location_quotient_clusters
from econometrics.clusters.related import (
    proximity_clusters,
    related_clusters,
)
from econometrics.clusters.strength import strength_clusters
from shuzhi import DataError

ClusterMethod = Literal[
    "location_quotient", "density_based_index", "duranton_overman", "cluster_strength", "related_strength", "proximity"
]


def cluster_methods() -> dict[str, Callable[..., ClusterMap]]:
    """Return the function of each method, by its name."""
    # scipy.sparse and the K-densities are loaded only for those who ask for clusters.
    from econometrics.clusters.delimit import delimit_clusters

    return {
        "location_quotient": location_quotient_clusters,
        "density_based_index": density_clusters,
        "duranton_overman": delimit_clusters,
        "cluster_strength": strength_clusters,
        "related_strength": related_clusters,
        "proximity": proximity_clusters,
    }


def identify_clusters(data: pd.DataFrame, method: ClusterMethod, **options: Any) -> ClusterMap:
    """Find clusters by the method named, with the options of its function.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an establishment and year, as from :func:`standard_microdata`.
    method : str
        ``location_quotient`` (:func:`location_quotient_clusters`), ``density_based_index``
        (:func:`density_clusters`; needs ``area``), ``duranton_overman``
        (:func:`econometrics.clusters.delimit.delimit_clusters`; needs ``reach`` and points),
        ``cluster_strength`` (:func:`strength_clusters`; needs ``groups``), ``related_strength``
        (:func:`related_clusters`; needs ``relatedness``) or ``proximity`` (:func:`proximity_clusters`).
    **options
        Options of that function.

    Returns
    -------
    ClusterMap

    Raises
    ------
    DataError
        If the method is unknown, an option is not one of the function's, or one that it needs is missing.
    """
    methods = cluster_methods()
    if method not in methods:
        raise DataError(f"no method {method!r} to find clusters; there are {', '.join(get_args(ClusterMethod))}")
    function = methods[method]
    # The first parameter is the data, whatever its name.
    known = dict(list(inspect.signature(function).parameters.items())[1:])
    unknown = sorted(set(options) - set(known))
    needed = sorted(name for name, one in known.items() if one.default is one.empty and name not in options)
    problems = [f"it has no option {', '.join(unknown)} (it has {', '.join(known)})"] if unknown else []
    problems += [f"it needs {', '.join(needed)}"] if needed else []
    if problems:
        raise DataError(f"clusters by {method}: " + "; ".join(problems))
    return function(data, **options)
