from model import build

build()
