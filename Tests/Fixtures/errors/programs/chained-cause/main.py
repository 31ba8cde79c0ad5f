try:
    int("x")
except ValueError as error:
    raise RuntimeError("the configuration is unusable") from error
