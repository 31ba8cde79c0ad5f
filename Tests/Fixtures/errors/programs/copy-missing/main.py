import shutil

shutil.copy("/data/image.png", "/out/image.png")
