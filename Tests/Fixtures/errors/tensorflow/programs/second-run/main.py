import os
import tempfile
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUT = os.path.join(tempfile.mkdtemp(), "results")


def prepare():
    os.makedirs(os.path.join(OUT, "plots"), exist_ok=True)
    os.makedirs(OUT)


def plot(losses):
    fig, ax = plt.subplots()
    ax.plot(losses)
    fig.savefig(os.path.join(OUT, "plots", "loss_curve.png"))


prepare()
plot([0.7, 0.5, 0.4])
