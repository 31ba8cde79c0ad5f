import json

import numpy as np
import tensorflow as tf

with open("/tmp/config.json", "w") as file:
    json.dump({"loss": tf.constant(0.5).numpy()}, file)
