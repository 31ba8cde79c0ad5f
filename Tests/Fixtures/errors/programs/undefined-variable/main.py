print(validation_scores)
