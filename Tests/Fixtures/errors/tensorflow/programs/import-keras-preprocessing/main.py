from dataset import reader

reader("/data")
