import pandas as pd

table = pd.read_csv("metadata.csv")
