"""The loss in the words of the field, told from the operations behind the model's output."""

WORDS = {"binary_cross_entropy": "BCE", "binary_cross_entropy_with_logits": "BCE with logits",
         "nll_loss": "cross-entropy", "mse_loss": "MSE", "l1_loss": "L1", "smooth_l1_loss": "smooth L1"}
LOGARITHMS = ("log", "log_sigmoid", "log1p")
# What leaves a sum a sum.
PASSING = ("add", "add_scalar", "mul_scalar", "sub", "clamp", "reshape", "permute")


class LossReader:
    """Follows what the operations after the output of the model make: sums, their ratios, powers and logarithms."""

    def __init__(self, graph, output):
        self.names, self.behind = [], {output}
        self.sums, self.unions, self.margins = set(), set(), set()
        self.complements, self.errors = set(), set()
        self.powers, self.logarithms = set(), set()
        self.ratio = None
        self.takes_logarithms = self.is_focal = self.has_errors = False
        for node in graph["nodes"]:
            self._errors(node)
            if any(i in self.behind for i in node["inputs"] if i is not None):
                self.behind.add(node["outputs"][0])
                self._words(node)
                self._sums(node)
                self._powers(node)

    def name(self):
        names = list(self.names)
        if self.takes_logarithms and not names:
            names.append("BCE")
        if self.is_focal:
            names = ["focal" if n.startswith("BCE") else n for n in names]
        if self.ratio is not None:
            names.append("Tversky" if self.has_errors else self.ratio)
        return " + ".join(names) or "unknown"

    def _errors(self, node):
        """1 − x, and its products: false positives and false negatives, which the Dice loss has no need of."""
        if node["op"] == "rsub_scalar" and node["attributes"]["scalar"] == 1:
            self.complements.add(node["outputs"][0])
        elif node["op"] == "mul" and self.complements.intersection(node["inputs"]):
            self.errors.add(node["outputs"][0])

    def _words(self, node):
        op, first = node["op"], node["inputs"][0]
        word = WORDS.get(op)
        if op == "rsub_scalar" and node["attributes"]["scalar"] == 1:
            self.margins.add(node["outputs"][0])
        elif op in ("relu", "clamp") and first in self.margins and not self.names:
            word = "hinge"
        if word is not None and word not in self.names:
            self.names.append(word)

    def _sums(self, node):
        value, op, inputs = node["outputs"][0], node["op"], node["inputs"]
        # Sizes less their overlap, as in 1 − |A ∩ B| / |A ∪ B|.
        if (op == "sub" and all(i in self.sums for i in inputs)) or (op in PASSING and inputs[0] in self.unions):
            self.unions.add(value)
        if op in ("sum", "matmul") or (op in PASSING and any(i in self.sums for i in inputs)):
            self.sums.add(value)
        self.has_errors |= op == "sum" and inputs[0] in self.errors
        if op == "div" and all(i in self.sums for i in inputs):
            self.ratio = "Jaccard" if inputs[1] in self.unions else "Dice"

    def _powers(self, node):
        value, op, inputs = node["outputs"][0], node["op"], node["inputs"]
        self.takes_logarithms |= op in LOGARITHMS
        for kind, makers in ((self.powers, ("pow_scalar",)), (self.logarithms, LOGARITHMS)):
            if op in makers or (op in ("mul", "mul_scalar", "neg") and kind.intersection(inputs)):
                kind.add(value)
        # By hand, a power of the probability times its logarithm; else a power beside a cross entropy of PyTorch.
        self.is_focal |= op == "mul" and value in self.powers and value in self.logarithms
        self.is_focal |= op == "pow_scalar" and bool(self.names)
