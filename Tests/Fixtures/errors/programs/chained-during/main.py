try:
    {}["a"]
except KeyError:
    raise ValueError("no such sample: a")
