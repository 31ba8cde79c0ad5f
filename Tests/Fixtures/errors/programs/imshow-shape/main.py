import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

figure, axis = plt.subplots()
axis.imshow(np.zeros((1, 32, 32)))
