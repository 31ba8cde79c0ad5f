import random

example = random.choice([])
