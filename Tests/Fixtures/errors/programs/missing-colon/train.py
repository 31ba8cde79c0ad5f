def train(model)
    return model
