import torch
from postprocess import keep_largest

logits = torch.randn(2, 1, 32, 32)
predictions = (torch.sigmoid(logits) > 0.5).float()
for prediction in predictions:
    print(keep_largest(prediction[0].numpy()).sum())
