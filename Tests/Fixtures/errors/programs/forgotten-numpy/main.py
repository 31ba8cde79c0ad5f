def mean(values):
    return np.mean(values)

if __name__ == "__main__":
    print(mean([1, 2]))
