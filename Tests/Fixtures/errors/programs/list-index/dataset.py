class Pairs:
    def __init__(self, images, masks):
        self.images, self.masks = images, masks

    def __getitem__(self, index):
        return self.images[index], self.masks[index]
