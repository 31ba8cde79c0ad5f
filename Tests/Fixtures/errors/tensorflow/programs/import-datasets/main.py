import tensorflow_datasets as tfds

tfds.load("oxford_iiit_pet")
