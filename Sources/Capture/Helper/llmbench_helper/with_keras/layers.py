"""Layers and functions of Keras that the format has as one operation: while a step is recorded, each is noted as a whole.

Dropout keeps everything while a step is recorded: its masks are drawn anew by whoever trains the graph.
"""

import functools


def install(current):
    """current: a function that returns the trace that listens, or None."""
    import keras
    import tensorflow

    def whole(cls, note):
        call = cls.call

        @functools.wraps(call)
        def heard(self, inputs, *args, **kwargs):
            trace = current()
            if trace is None or trace._paused:
                return call(self, inputs, *args, **kwargs)
            return note(trace, self, inputs, lambda: _silent(trace, call, self, inputs, args, kwargs), args, kwargs)

        cls.call = heard

    layers = keras.layers
    whole(layers.BatchNormalization, _batch_normalization)
    whole(layers.GroupNormalization, _group_normalization)
    whole(layers.LayerNormalization, _layer_normalization)
    for name in ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"):
        whole(getattr(layers, name), _dropout)
    whole(layers.UpSampling2D, _up_sampling)
    _function(current, keras.src.backend.nn, "gelu", "KerasGelu", lambda x, approximate=True: {"approximate": approximate})
    _function(current, tensorflow.nn, "silu", "KerasSilu", lambda features, beta=1.0: {"beta": float(beta)})
    _convolution(current, keras.src.backend.nn)
    cross_entropy = tensorflow.nn.sigmoid_cross_entropy_with_logits

    @functools.wraps(cross_entropy)
    def heard_cross_entropy(labels=None, logits=None, name=None):
        trace = current()
        if trace is None or trace._paused:
            return cross_entropy(labels=labels, logits=logits, name=name)
        with trace.paused():
            labels, logits = tensorflow.convert_to_tensor(labels), tensorflow.convert_to_tensor(logits)
            result = cross_entropy(labels=labels, logits=logits)
        trace.note("KerasCrossEntropyWithLogits", [logits, labels], {}, [result])
        return result

    tensorflow.nn.sigmoid_cross_entropy_with_logits = heard_cross_entropy


def _convolution(current, module):
    """A dilated convolution, which TensorFlow makes of others."""
    import keras
    import tensorflow

    original = module.conv

    @functools.wraps(original)
    def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
        trace, dilations = current(), _pair(dilation_rate)
        form = data_format or keras.config.image_data_format()
        if (trace is None or trace._paused or dilations is None or max(dilations) == 1 or len(inputs.shape) != 4
                or form != "channels_last" or not isinstance(kernel, keras.Variable)):
            return original(inputs, kernel, strides, padding, data_format, dilation_rate)
        with trace.paused():
            inputs = tensorflow.convert_to_tensor(inputs)
            result = original(inputs, kernel, strides, padding, data_format, dilation_rate)
        attributes = {"strides": [1, *_pair(strides), 1], "dilations": [1, *dilations, 1], "padding": padding.upper()}
        trace.note("Conv2D", [inputs, kernel._value.handle], attributes, [result])
        return result

    module.conv = conv


def _pair(value):
    value = list(value) if isinstance(value, (list, tuple)) else [value, value]
    return [int(v) for v in value] if len(value) == 2 else None


def _function(current, module, name, noted, attributes):
    import tensorflow

    original = getattr(module, name)

    @functools.wraps(original)
    def heard(x, *args, **kwargs):
        trace = current()
        if trace is None or trace._paused:
            return original(x, *args, **kwargs)
        with trace.paused():
            x = tensorflow.convert_to_tensor(x)
            result = original(x, *args, **kwargs)
        trace.note(noted, [x], attributes(x, *args, **kwargs), [result])
        return result

    setattr(module, name, heard)


def _silent(trace, call, layer, inputs, args, kwargs):
    with trace.paused():
        return call(layer, inputs, *args, **kwargs)


def _variable(layer, name):
    """The handle of a weight of a layer, as it stands for the weight among the inputs of an operation."""
    weight = getattr(layer, name, None)
    return None if weight is None else weight._value.handle


def _training(args, kwargs, position=0):
    return bool(kwargs["training"] if "training" in kwargs else args[position] if len(args) > position else None)


def _batch_normalization(trace, layer, inputs, run, args, kwargs):
    result = run()
    # A frozen layer normalises with what it knows.
    attributes = {"training": _training(args, kwargs) and layer.trainable, "momentum": float(layer.momentum),
                  "epsilon": float(layer.epsilon), "axis": layer.axis}
    weights = [_variable(layer, n) for n in ("gamma", "beta", "moving_mean", "moving_variance")]
    trace.note("KerasBatchNormalization", [inputs, *weights], attributes, [result])
    return result


def _group_normalization(trace, layer, inputs, run, args, kwargs):
    result = run()
    attributes = {"groups": int(layer.groups), "epsilon": float(layer.epsilon), "axis": layer.axis}
    trace.note("KerasGroupNormalization", [inputs, _variable(layer, "gamma"), _variable(layer, "beta")], attributes, [result])
    return result


def _layer_normalization(trace, layer, inputs, run, args, kwargs):
    result = run()
    attributes = {"axis": layer.axis, "epsilon": float(layer.epsilon), "rms": bool(getattr(layer, "rms_scaling", False))}
    trace.note("KerasLayerNormalization", [inputs, _variable(layer, "gamma"), _variable(layer, "beta")], attributes, [result])
    return result


def _dropout(trace, layer, inputs, run, args, kwargs):
    import tensorflow

    if not _training(args, kwargs) or not layer.rate:
        return run()
    with trace.paused():
        result = tensorflow.identity(inputs)
    shape = layer._get_noise_shape(inputs) if hasattr(layer, "_get_noise_shape") else getattr(layer, "noise_shape", None)
    shape = [int(n) if s is None else int(s) for s, n in zip(shape, inputs.shape)] if shape is not None else None
    trace.note("KerasDropout", [inputs], {"rate": float(layer.rate), "shape": shape}, [result])
    return result


def _up_sampling(trace, layer, inputs, run, args, kwargs):
    result = run()
    trace.note("KerasUpSampling", [inputs], {"interpolation": layer.interpolation, "data_format": layer.data_format}, [result])
    return result
