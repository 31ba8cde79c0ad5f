folder = "/data/images
print(folder)
