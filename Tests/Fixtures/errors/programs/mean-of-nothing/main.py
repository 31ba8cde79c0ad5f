from train import average

print(average([]))
