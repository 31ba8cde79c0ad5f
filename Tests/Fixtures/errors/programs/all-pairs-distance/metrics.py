import numpy as np
from scipy.spatial.distance import cdist


def hausdorff(mask, prediction):
    points_a = np.argwhere(mask)
    points_b = np.argwhere(prediction)
    distances = cdist(points_a, points_b)
    return max(distances.min(axis=0).max(), distances.min(axis=1).max())
