import os
os.mkdir("/code/cache")
