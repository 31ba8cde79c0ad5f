row = "0001,0.5,n/a".split(",")
values = [float(value) for value in row]
