import tqdm

for batch in tqdm(range(3)):
    pass
