import argparse
from train import make_trainer

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=1e-3)
    model, optimizer = make_trainer(p.parse_args().lr)
    print(model)
