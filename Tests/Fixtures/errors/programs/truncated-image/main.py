import io
from PIL import Image

buffer = io.BytesIO()
Image.new("L", (64, 64)).save(buffer, "PNG")
Image.open(io.BytesIO(buffer.getvalue()[:60])).load()
