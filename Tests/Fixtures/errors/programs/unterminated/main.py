import dataset
