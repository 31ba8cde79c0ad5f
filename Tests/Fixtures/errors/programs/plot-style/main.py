import os
import tempfile
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt


def plot_history(history, path):
    plt.style.use("seaborn-whitegrid")
    figure, axes = plt.subplots(figsize=(6, 4))
    for key, values in history.items():
        axes.plot(values, label=key)
    axes.legend()
    figure.savefig(path)


plot_history({"loss": [0.9, 0.5], "dice": [0.3, 0.6]}, os.path.join(tempfile.mkdtemp(), "h.png"))
