import time


class Timer:
    def __init__(self, label):
        self.label = label

    def __enter__(self):
        self.start = time.perf_counter()
        return self

    def __del__(self):
        print(f"{self.label}: {time.perf_counter() - self.start:.3f} s")
