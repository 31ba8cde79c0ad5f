with open("/out") as file:
    print(file.read())
