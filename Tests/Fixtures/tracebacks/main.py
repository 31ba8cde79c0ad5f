import argparse, sys, torch
from torch.utils.data import DataLoader, Dataset
class D(Dataset):
    def __len__(self): return 4
    def __getitem__(self, i):
        raise ValueError("bad item %d" % i)
class N(torch.nn.Module):
    def __init__(self):
        super().__init__(); self.l = torch.nn.Linear(3, 2)
    def forward(self, x):
        return self.l(x)
def chained():
    try:
        N()(torch.zeros(1, 4))
    except RuntimeError as e:
        raise KeyError("outer") from e
k = sys.argv[1]
if k == "worker":
    for b in DataLoader(D(), 2, num_workers=1): pass
if k == "plain":
    for b in DataLoader(D(), 2): pass
if k == "chain": chained()
if k == "exit": sys.exit("stop here")
if k == "exit3": sys.exit(3)
if k == "back": torch.zeros(1).backward()
if k == "import": import syntaxbad
if k == "recursion":
    def f(n): return f(n + 1)
    f(0)
if k == "args": argparse.ArgumentParser().parse_args(["--x"])
if k == "load": N().load_state_dict({})
if k == "thread":
    import threading
    t = threading.Thread(target=chained); t.start(); t.join()
if k == "sched":
    torch.optim.lr_scheduler.StepLR(torch.optim.Adam(N().parameters()), stepsize=3)
if k == "loaderargs": DataLoader(D(), batchsize=3)
if k == "group":
    raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
