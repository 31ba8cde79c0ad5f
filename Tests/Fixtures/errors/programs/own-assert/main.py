from train import check

check([1], [])
