from model import build

model = build()
model.compile(optimizer="adam", loss="binary_crossentropy")
print(model.count_params())
