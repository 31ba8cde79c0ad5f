losses = []
assert losses
