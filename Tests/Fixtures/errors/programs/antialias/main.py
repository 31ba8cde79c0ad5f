from PIL import Image

image = Image.new("L", (8, 8)).resize((4, 4), Image.ANTIALIAS)
