import numpy as np
from skimage.morphology import remove_small_objects

def postprocess(prob, minimum=5):
    mask = np.round(prob)
    return remove_small_objects(mask, minimum)
