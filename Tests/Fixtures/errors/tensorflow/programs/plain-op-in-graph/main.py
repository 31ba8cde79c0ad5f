import argparse

import tensorflow as tf

from model import build_model


def main(args):
    tf.random.set_seed(42)
    model = build_model()
    model.compile(optimizer=tf.keras.optimizers.Adam(args.lr), loss="binary_crossentropy")
    print(model.count_params())


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--lr", type=float, default=1e-4)
    main(ap.parse_args())
