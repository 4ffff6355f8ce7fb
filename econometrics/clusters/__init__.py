"""Industrial clusters: from microdata to a map of clusters, and from the map to listed firms."""

from econometrics.clusters.attach import AttachedClusters, attach_clusters
from econometrics.clusters.cells import Cells, cluster_cells
from econometrics.clusters.concentration_measures import Concentration, concentration
from econometrics.clusters.density import density_clusters, place_clustering
from econometrics.clusters.identify import ClusterMethod, identify_clusters
from econometrics.clusters.map import ClusterMap, check_cluster_table, cluster_table
from econometrics.clusters.microdata import Microdata, find_columns, standard_microdata
from econometrics.clusters.one_list import Harmonised, harmonise
from econometrics.clusters.quotient import location_quotient_clusters, quotients
from econometrics.clusters.related import (
    group_industries,
    industry_proximity,
    locational_correlation,
    proximity_clusters,
    related_clusters,
)
from econometrics.clusters.strength import strength_clusters

__all__ = [
    "AttachedClusters",
    "Cells",
    "ClusterMap",
    "ClusterMethod",
    "Concentration",
    "Harmonised",
    "Microdata",
    "attach_clusters",
    "check_cluster_table",
    "cluster_cells",
    "cluster_table",
    "concentration",
    "density_clusters",
    "find_columns",
    "group_industries",
    "harmonise",
    "identify_clusters",
    "industry_proximity",
    "location_quotient_clusters",
    "locational_correlation",
    "place_clustering",
    "proximity_clusters",
    "quotients",
    "related_clusters",
    "standard_microdata",
    "strength_clusters",
]
