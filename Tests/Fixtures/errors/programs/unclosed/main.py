print("losses", [0.1, 0.2
epochs = 2
