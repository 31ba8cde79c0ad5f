import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--image-size", default="128")
size = parser.parse_args([]).image_size
half = size / 2
