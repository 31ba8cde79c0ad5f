import random

indices = random.sample(range(4), 8)
