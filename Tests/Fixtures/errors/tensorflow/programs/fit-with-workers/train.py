def train(model, data, epochs):
    model.compile(optimizer="adam", loss="binary_crossentropy")
    history = model.fit(
        data,
        epochs=epochs,
        use_multiprocessing=True,
        workers=4,
        verbose=0,
    )
    return history.history["loss"]
