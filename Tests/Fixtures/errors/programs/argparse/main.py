import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--dir", required=True)
parser.parse_args()
