from train import save

save([0.1, 0.2], "/out/train_losses.xlsx")
