import tensorflow as tf

def predict_mask(model, image):
    prob = model(image[None, ..., None], training=False)[0, ..., 0]
    prob[prob < 0.5] = 0
    return tf.cast(prob > 0, tf.uint8)
