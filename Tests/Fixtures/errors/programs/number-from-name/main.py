from dataset import number

print(sorted(["slice_1.png", "slice_b.png"], key=number))
