import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

def plot_examples(model, loader, path):
    images, masks = next(iter(loader))
    fig, axes = plt.subplots(1, 2)
    axes[0].imshow(images[0, 0])
    axes[1].imshow(model(images).detach()[0, 0])
    fig.savefig(path)
