def epoch(loader):
    for batch in loader:
        images, masks = batch["image"], batch["masks"]
