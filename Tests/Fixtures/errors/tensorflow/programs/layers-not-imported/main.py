from model import build

build().summary()
