class EarlyStopping:
    def __init__(self, patience):
        self.patience = patience
        self.best = None

    def on_validation_end(self, score):
        if self.best is None or score > self.best:
            self.best = score
            self.counter = 0
        elif self._exhausted():
            return True
        return False

    def _exhausted(self):
        self.counter += 1
        return self.counter >= self.patiance
