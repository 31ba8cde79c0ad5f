def step(optimizer, loss):
    optimizer.zero_gard()
    loss.backward()
    optimizer.step()
