from train import run
