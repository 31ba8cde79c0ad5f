from sklearn.metrics import confusion_matrix


def scores(mask, prediction):
    tn, fp, fn, tp = confusion_matrix(mask.ravel(), prediction.ravel(), labels=[0, 1]).ravel()
    return {"dice": 2 * tp / (2 * tp + fp + fn), "specificity": tn / (tn + fp)}
