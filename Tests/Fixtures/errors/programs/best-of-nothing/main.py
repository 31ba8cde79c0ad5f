scores = {}
best = max(scores.values())
