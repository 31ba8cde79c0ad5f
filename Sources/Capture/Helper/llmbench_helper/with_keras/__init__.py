"""The modes for pipelines of TensorFlow and Keras, for an environment that holds these and no PyTorch."""
