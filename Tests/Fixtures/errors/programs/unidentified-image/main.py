import io
from PIL import Image

Image.open(io.BytesIO(b"not a picture"))
