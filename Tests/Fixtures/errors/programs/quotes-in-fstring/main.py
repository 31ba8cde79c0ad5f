from train import evaluate

metrics = evaluate()
print(metrics)
