print(depth(0))
