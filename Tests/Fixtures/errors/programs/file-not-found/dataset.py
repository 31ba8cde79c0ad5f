import os


def names(folder):
    root = os.path.join(folder, "imgs")
    return sorted(os.listdir(root))
