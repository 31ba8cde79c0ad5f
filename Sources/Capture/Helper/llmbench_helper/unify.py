"""Two records of one computation, at two batch sizes, become one graph whose batch size is free."""

from .refusal import Refused


def batch_unified(a, b, sizes, what):
    """One size from two steps: an integer, or a multiple of the batch."""
    if a == b:
        return a
    n, m = sizes
    if n != m and a % n == 0 and b % m == 0 and a // n == b // m and a > 0:
        return {"batch": a // n}
    raise Refused(f"{what} is {a} for a batch of {n} and {b} for a batch of {m}")


def number_unified(a, b, sizes, what):
    """One number from two steps: a constant, or one that grows or shrinks with the batch."""
    if a == b or (a != a and b != b):
        return json_number(a)
    n, m = sizes
    for power in (-1, 1):
        one, two = a / n**power, b / m**power
        if abs(one - two) <= 1e-9 * max(abs(one), abs(two)):
            return {"number": one, "batch_power": power}
    raise Refused(f"{what} is {a} in one step and {b} in the next")


def json_number(value):
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, float) and value != value:
        raise Refused("a constant that is not a number")
    return value


SIZES = ("shape",)
ENDS = ("start", "end", "output_size", "index", "normalized_shape", "size", "repeats")


def attribute_unified(key, a, b, sizes, where):
    if isinstance(a, list):
        if not isinstance(b, list) or len(a) != len(b):
            raise Refused(f"{key} of {where} differs between two steps")
        return [attribute_unified(key, x, y, sizes, where) for x, y in zip(a, b)]
    if isinstance(a, bool) or a is None or isinstance(a, str):
        if a != b:
            raise Refused(f"{key} of {where} differs between two steps")
        return a
    if key in SIZES or key in ENDS:
        return batch_unified(a, b, sizes, f"{key} of {where}")
    return number_unified(a, b, sizes, f"{key} of {where}")


def unified(first, second, sizes, dtypes, same):
    """The graph (as the JSON object of the format) of two drafts of the same computation at two batch sizes.

    A draft has `nodes`, `values` (shape and dtype by id), `leaves` (kind, name and tensor by id) and `target`. dtypes: the format's name of
    each type of the framework. same: whether two of its tensors are equal.
    """
    if len(first.nodes) != len(second.nodes) or len(first.leaves) != len(second.leaves):
        raise Refused("two consecutive steps did not compute the same thing (control flow that depends on the data)")
    nodes = []
    for a, b in zip(first.nodes, second.nodes):
        where = f"{a['op']} at {a.get('source', 'an unknown line')}"
        if a["op"] != b["op"] or a["inputs"] != b["inputs"] or a["outputs"] != b["outputs"]:
            raise Refused(f"two consecutive steps differ from {where} on (control flow that depends on the data)")
        if a["attributes"].keys() != b["attributes"].keys():
            raise Refused(f"attributes of {where} differ between two steps")
        node = dict(a)
        node["attributes"] = {key: attribute_unified(key, a["attributes"][key], b["attributes"][key], sizes, where)
                              for key in a["attributes"]}
        nodes.append(node)
    used = {v for n in nodes for v in n["inputs"] + n["outputs"] if v is not None} | set(first.leaves) | {first.target}
    values = []
    for value in sorted(used):
        a, b = first.values[value], second.values[value]
        if len(a["shape"]) != len(b["shape"]):
            raise Refused("two consecutive steps differ in the number of axes of a value")
        shape = [batch_unified(x, y, sizes, "a size") for x, y in zip(a["shape"], b["shape"])]
        if a["dtype"] not in dtypes:
            raise Refused(f"values of type {str(a['dtype']).replace('torch.', '')}")
        values.append({"id": value, "shape": shape, "dtype": dtypes[a["dtype"]]})
    graph = {"schema": 1, "batch": sizes[0], "values": values,
             "inputs": [], "parameters": [], "buffers": [], "constants": [], "nodes": nodes, "outputs": {}}
    for value, (kind, name, tensor) in first.leaves.items():
        other = second.leaves.get(value)
        if other is None or other[0] != kind or (kind != "constants" and other[1] != name):
            raise Refused("two consecutive steps read different tensors")
        if kind == "constants" and not same(tensor, other[2]):
            raise Refused("a tensor that is made outside the step, and not by the data loader, differs from step to step")
        graph[kind].append({"value": value, "name": name})
    return graph
