class BrainDataset:
    pass
