import tensorflow as tf

def step(model, slow, fast, x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=model(x)))
    encoder = model.get_layer("encoder").trainable_variables
    head = model.get_layer("head").trainable_variables
    slow.apply_gradients(zip(tape.gradient(loss, encoder), encoder))
    fast.apply_gradients(zip(tape.gradient(loss, head), head))
    return float(loss)
