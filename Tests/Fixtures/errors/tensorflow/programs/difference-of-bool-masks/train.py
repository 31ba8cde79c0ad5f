import numpy as np

def error_map(prob, mask):
    """Where does the prediction differ?"""
    predicted = prob > 0.5
    truth = mask > 0
    return np.abs(predicted - truth).astype(np.uint8)
