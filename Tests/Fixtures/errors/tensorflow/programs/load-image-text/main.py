from dataset import read

with open("/tmp/a.png", "w") as file:
    file.write("nothing")
read("/tmp/a.png")
