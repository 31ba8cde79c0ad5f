def average(losses):
    return sum(losses) / len(losses)
