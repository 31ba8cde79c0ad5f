from dataset import load

load("/data/images/001.png")
