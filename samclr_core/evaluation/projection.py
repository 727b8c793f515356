"""A map of the embeddings: UMAP in two dimensions, seeded and cached."""

import warnings

import numpy as np
from pydantic import Field

from samclr_core.cache import digest, remembered
from samclr_core.config import Config
from samclr_core.workspace import Workspace

# Below that many different embeddings there are no neighbourhoods to lay out.
MIN_POINTS = 4
# UMAP works on so many principal components: the rest is noise to it, and takes the time.
COMPONENTS = 50


class ProjectionConfig(Config):
    """How the map is laid out.

    Attributes:
        neighbours: images whose neighbourhood is kept; clamped to the number of images - 1.
        min_dist: least distance of two points: small values pack clusters tightly.
        epochs: optimisation steps; None leaves it to UMAP (500 for small sets, 200 for large).
        seed: of the layout.
    """

    neighbours: int = Field(default=15, ge=2, le=200)
    min_dist: float = Field(default=0.1, ge=0, le=1)
    epochs: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**31)


DEFAULT = ProjectionConfig()


def project(
    workspace: Workspace, embeddings: np.ndarray, config: ProjectionConfig = DEFAULT
) -> np.ndarray:
    """The embeddings as points in the plane; distances between far clusters mean little.

    UMAP (McInnes et al. 2018, arXiv 1802.03426) of the normalised embeddings, so that near means
    a high cosine, starting from their first two principal components. The same embeddings and
    settings give the same map, and are laid out only once per workspace.

    Args:
        workspace: whose cache keeps the map.
        embeddings: float [N, dim], N at least 0. With fewer than 4 different ones, the map is
            their principal components.
        config: the layout.

    Returns:
        float32 [N, 2].
    """
    key = digest(np.asarray(embeddings, dtype=np.float32), config.digest())
    arrays, _ = remembered(workspace, "maps", key, lambda: {"xy": layout(embeddings, config)})
    return arrays["xy"]


def layout(embeddings: np.ndarray, config: ProjectionConfig = DEFAULT) -> np.ndarray:
    """:func:`project` without the cache."""
    components = principal_components(normalised(embeddings))
    # What differs in the last digits only is the same image to the backbone.
    rounded = components.round(6)
    if len(np.unique(rounded, axis=0)) < MIN_POINTS:
        return rounded[:, :2]
    return _umap(components, config)


def normalised(values: np.ndarray) -> np.ndarray:
    """The embeddings [N, dim] at length 1, so that near means a high cosine."""
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def principal_components(values: np.ndarray) -> np.ndarray:
    """float32 [N, c]: the first c = 2 to 50 principal components, zeros where there are fewer."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    count = min(COMPONENTS, *values.shape)
    if len(values) < 2:
        return np.zeros((len(values), 2), np.float32)
    # Equal values have no variance to explain, at which scikit-learn divides by zero.
    with threadpool_limits(1), np.errstate(invalid="ignore"):
        found = PCA(count, svd_solver="full" if count < COMPONENTS else "covariance_eigh")
        components = found.fit_transform(values)
    return np.pad(components, ((0, 0), (0, max(0, 2 - count)))).astype(np.float32)


def _umap(components: np.ndarray, config: ProjectionConfig) -> np.ndarray:
    from umap import UMAP

    start = components[:, :2] * (10 / max(np.abs(components[:, :2]).max(), 1e-12))
    count = min(config.neighbours, len(components) - 1)
    mapper = UMAP(
        n_neighbors=count,
        # UMAP compiles its own search, which takes half the time of a first small map.
        precomputed_knn=_neighbours(components, count),
        min_dist=config.min_dist,
        n_epochs=config.epochs,
        init=start,
        random_state=config.seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(mapper.fit_transform(components), dtype=np.float32)


def _neighbours(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and distances [N, count] of the points nearest to each, itself the first."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        distances, others = NearestNeighbors(n_neighbors=count - 1).fit(points).kneighbors()
    itself = np.arange(len(points))[:, None]
    return (
        np.hstack([itself, others]).astype(np.int32),
        np.pad(distances, ((0, 0), (1, 0))).astype(np.float32),
    )
