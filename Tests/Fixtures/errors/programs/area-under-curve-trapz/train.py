import numpy as np

def dice_auc(prob, target, steps=11):
    """Area under Dice over the threshold."""
    thresholds = np.linspace(0, 1, steps)
    scores = []
    for t in thresholds:
        p = prob > t
        scores.append(2 * np.sum(p & target) / (p.sum() + target.sum() + 1e-8))
    return np.trapz(scores, thresholds)
