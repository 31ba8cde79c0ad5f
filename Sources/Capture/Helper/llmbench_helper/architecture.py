"""A U-Net's shape, told from the operations of its forward pass."""

ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "mish": "Mish",
               "prelu": "PReLU", "hardtanh": "ReLU6", "hardswish": "Hardswish", "tanh": "Tanh", "softplus": "Softplus"}
UPSAMPLING = {"upsample_bilinear2d": "bilinear", "upsample_nearest2d": "nearest", "upsample_bicubic2d": "bicubic",
              "upsample_nearest_exact2d": "nearest"}


class Architecture:
    """Reads a U-Net's shape off the nodes of its forward pass, in the order of execution."""

    def __init__(self, graph, output):
        self.shapes = {v["id"]: [s if isinstance(s, int) else s["batch"] for s in v["shape"]] for v in graph["values"]}
        self.weights = {leaf["value"] for leaf in graph["parameters"] + graph["buffers"]}
        self.maker = {n["outputs"][0]: n for n in graph["nodes"]}
        self.output = output
        self.nodes = self._before(graph["nodes"], output)
        self.image = next(l["value"] for l in graph["inputs"] if l["name"] == "image")

    def _before(self, nodes, output):
        wanted, kept = {output}, []
        for node in reversed(nodes):
            if node["outputs"][0] in wanted:
                kept.append(node)
                wanted.update(i for i in node["inputs"] if i is not None)
        return kept[::-1]

    def size(self, value):
        shape = self.shapes[value]
        return shape[-1] * shape[-2] if len(shape) == 4 else None

    def describe(self):
        downs, segments, current = [], [], {"size": self.size(self.image), "nodes": [], "up": None}
        rising = False
        for node in self.nodes:
            before, after = self._sizes(node)
            # A shortcut that is lowered beside its block belongs to the same stage.
            if before and after and after < min(before, current["size"]) and not rising and self._lowers(node):
                segments.append(current)
                current = {"size": after, "nodes": [], "up": None}
                if node["op"] == "convolution":
                    current["nodes"].append(node)
            elif after and after > current["size"] and (before and after > before and self._raises(node) or self._unfold(node)):
                segments.append(current)
                rising = True
                current = {"size": after, "nodes": [], "up": node}
            else:
                current["nodes"].append(node)
        segments.append(current)
        downs = [s for s in segments if s["up"] is None]
        ups = [s for s in segments if s["up"] is not None and self._channels(s) is not None]
        encoder = [c for c in (self._channels(s) for s in downs[:-1]) if c is not None]
        return {
            "encoder_stages": len(encoder), "decoder_stages": len(ups), "encoder_channels": encoder,
            "decoder_channels": [self._channels(s) for s in ups], "bottleneck_channels": self._channels(downs[-1]),
            "conv_block": self._block(downs[0]), "normalization": self._normalization(),
            "upsampling": self._upsampling(ups), "skip": self._skip(segments), "final_layer": self._final(),
            "output_activation": self._activation(),
        }

    def _sizes(self, node):
        first = node["inputs"][0] if node["inputs"] else None
        return (self.size(first) if first is not None else None), self.size(node["outputs"][0])

    def _lowers(self, node):
        return node["op"] in ("max_pool2d", "avg_pool2d") or (
            node["op"] == "convolution" and not node["attributes"]["transposed"] and max(node["attributes"]["stride"]) > 1)

    def _raises(self, node):
        return node["op"] in UPSAMPLING or (node["op"] == "convolution" and node["attributes"]["transposed"])

    def _unfold(self, node):
        """How a reshape enlarges a map: from channels (`pixel shuffle`), or by repeating (`nearest`)."""
        if node["op"] != "reshape" or len(self.shapes[node["inputs"][0]]) < 5:
            return None
        before = self.maker.get(node["inputs"][0])
        return {"permute": "pixel shuffle", "expand": "nearest", "repeat": "nearest"}.get(before["op"]) if before else None

    def _kernel(self, node):
        return self.shapes[node["inputs"][1]][2:]

    def _spatial(self, node):
        return node["op"] == "convolution" and not node["attributes"]["transposed"] and max(self._kernel(node)) > 1

    def _channels(self, segment):
        """Channels that leave a stage: those of its last convolution that looks at neighbours."""
        found = [self.shapes[n["outputs"][0]][1] for n in segment["nodes"]
                 if self._spatial(n) and n["outputs"][0] != self.output]
        return found[-1] if found else None

    def _word(self, node):
        if self._spatial(node):
            return "Conv"
        if node["op"] == "batch_norm":
            return "BN"
        if node["op"] == "group_norm":
            return "IN" if self._is_instance(node) else "GN"
        if node["op"] == "instance_norm":
            return "IN"
        if node["op"] == "layer_norm":
            return "LN"
        if node["op"] in ("bernoulli", "dropout"):
            return "Dropout"
        return ACTIVATIONS.get(node["op"]) if (self.size(node["outputs"][0]) or 0) > 1 else None

    def _is_instance(self, node):
        return node["attributes"]["groups"] == self.shapes[node["inputs"][0]][1]

    def _block(self, segment):
        words = [w for w in (self._word(n) for n in segment["nodes"]) if w]
        if "Conv" not in words:
            return "none"
        words = words[words.index("Conv"):]
        residual = any(n["op"] == "add" and self._features(n) for n in segment["nodes"])
        units, unit = [], []
        for word in words:
            if word == "Conv" and unit:
                units.append(unit)
                unit = []
            unit.append(word)
        units.append(unit)
        if all(u == units[0] for u in units):
            text = f"({'-'.join(units[0])})x{len(units)}"
        else:
            text = "-".join(words)
        return "residual " + text if residual else text

    def _features(self, node):
        return all(len(self.shapes[i]) == 4 and self.size(i) and self.size(i) > 1 for i in node["inputs"])

    def _normalization(self):
        kinds = []
        for node in self.nodes:
            kind = {"batch_norm": "batch", "layer_norm": "layer", "instance_norm": "instance"}.get(node["op"])
            if node["op"] == "group_norm":
                kind = "instance" if self._is_instance(node) else "group"
            if kind and kind not in kinds:
                kinds.append(kind)
        return " + ".join(kinds) or "none"

    def _upsampling(self, ups):
        kinds = []
        for segment in ups:
            kind = UPSAMPLING.get(segment["up"]["op"]) or self._unfold(segment["up"]) or "transposed"
            if kind not in kinds:
                kinds.append(kind)
        return " + ".join(kinds) or "none"

    def _skip(self, segments):
        falling = {n["outputs"][0] for s in segments if s["up"] is None for n in s["nodes"]}
        for segment in segments:
            if segment["up"] is None:
                continue
            for node in [*segment["nodes"]]:
                if node["op"] not in ("concatenate", "add") or not self._features(node):
                    continue
                sources = [self._through(i) for i in node["inputs"]]
                if not any(s in falling for s, _ in sources):
                    continue
                how = "concatenate" if node["op"] == "concatenate" else "add"
                changes = {c for _, c in sources if c}
                if "slice" in changes:
                    return how + ", cropped"
                return how + (", padded" if "pad" in changes else "")
        return "none"

    def _through(self, value):
        """The value behind crops, pads and gates, and what was passed on the way."""
        passed = None
        for _ in range(8):
            node = self.maker.get(value)
            if node is None or node["op"] not in ("slice", "pad", "identity", "mul"):
                break
            if node["op"] in ("slice", "pad"):
                passed = node["op"]
            value = node["inputs"][0]
        return value, passed

    def _final(self):
        for node in reversed(self.nodes):
            if node["op"] == "convolution":
                kernel = self._kernel(node)
                name = "ConvTranspose" if node["attributes"]["transposed"] else "Conv"
                return f"{name} {kernel[0]}x{kernel[1]}"
            if node["op"] == "linear":
                return "Linear"
        return "none"

    def _activation(self):
        value = self.output
        while value in self.maker:
            node = self.maker[value]
            if node["op"] in ("sigmoid", "softmax", "log_softmax", "tanh", "relu", "hardsigmoid"):
                return node["op"]
            if node["op"] not in ("reshape", "select", "slice", "identity", "clamp", "permute", *UPSAMPLING):
                return "none"
            value = node["inputs"][0]
        return "none"
