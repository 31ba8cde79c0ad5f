from train import fit
