def pairs(folder):
    names = ["a", "b"]
    names = names.sort()
    return names

for name in pairs("/data"):
    print(name)
