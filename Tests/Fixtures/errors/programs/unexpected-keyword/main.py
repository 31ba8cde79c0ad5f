import torch
model = torch.nn.Linear(1, 1)
torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.Adam(model.parameters()), verbosity=True)
