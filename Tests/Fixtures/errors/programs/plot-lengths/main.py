import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

losses = [0.7, 0.6, 0.5]
plt.plot(range(1, 3), losses)
