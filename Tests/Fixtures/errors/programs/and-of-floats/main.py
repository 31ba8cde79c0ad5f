import torch
from metrics import iou_score

predictions = (torch.rand(4, 1, 16, 16) > 0.5).float()
masks = (torch.rand(4, 1, 16, 16) > 0.5).float()
print(f"IoU: {iou_score(predictions, masks):.3f}")
