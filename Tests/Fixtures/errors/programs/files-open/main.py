files = []
while True:
    files.append(open("/code/main.py"))
