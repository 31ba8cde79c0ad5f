def run(loader):
    total_loss = 0
    for batch in loader:
        total_los += batch
    return total_lost

