class Noisy:
    def __del__(self):
        raise TypeError("from a destructor")

noisy = Noisy()
{}["epoch"]
