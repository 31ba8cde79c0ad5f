import time
import warnings
from tqdm import tqdm

warnings.warn("a warning that is no error")
for step in tqdm(range(5), desc="training"):
    time.sleep(0.12)
    if step == 3: 1 / 0
