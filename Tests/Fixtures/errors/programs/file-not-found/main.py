from dataset import names

if __name__ == "__main__":
    names("/data")
