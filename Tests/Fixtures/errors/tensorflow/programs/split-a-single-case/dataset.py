import glob, os
from sklearn.model_selection import train_test_split

def split(folder):
    images = sorted(glob.glob(os.path.join(folder, "*_image.png")))
    masks = [p.replace("_image", "_mask") for p in images]
    return train_test_split(images, masks, test_size=0.2, random_state=0)
