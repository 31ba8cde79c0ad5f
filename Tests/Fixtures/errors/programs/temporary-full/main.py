with open("/tmp/cache.bin", "wb") as file:
    for block in range(4096):
        file.write(bytes(1 << 20))
        file.flush()
