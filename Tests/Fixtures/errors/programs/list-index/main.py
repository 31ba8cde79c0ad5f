from dataset import Pairs

Pairs(["a", "b"], ["a"])[1]
