import dataset
dataset.check()
