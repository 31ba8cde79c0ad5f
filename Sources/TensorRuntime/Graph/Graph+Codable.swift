extension Graph {
    private enum Key: String, CodingKey {
        case schema, kind, batch, values, inputs, parameters, buffers, constants, nodes, outputs, threshold
    }

    public init(from decoder: Decoder) throws {
        let keyed = try decoder.container(keyedBy: Key.self)
        let schema = try keyed.decode(Int.self, forKey: .schema)
        guard schema == 1 else { throw RuntimeError.malformedGraph("its schema is \(schema), this version reads 1") }
        kind = try keyed.decode(Kind.self, forKey: .kind)
        batch = try keyed.decode(Int.self, forKey: .batch)
        values = try keyed.decode([Value].self, forKey: .values)
        inputs = try keyed.decode([Binding].self, forKey: .inputs)
        parameters = try keyed.decode([Binding].self, forKey: .parameters)
        buffers = try keyed.decodeIfPresent([Binding].self, forKey: .buffers) ?? []
        constants = try keyed.decodeIfPresent([Binding].self, forKey: .constants) ?? []
        nodes = try keyed.decode([Node].self, forKey: .nodes)
        outputs = try keyed.decode(GraphOutputs.self, forKey: .outputs)
        threshold = try keyed.decodeIfPresent(Threshold.self, forKey: .threshold)
    }

    public func encode(to encoder: Encoder) throws {
        var keyed = encoder.container(keyedBy: Key.self)
        try keyed.encode(1, forKey: .schema)
        try keyed.encode(kind, forKey: .kind)
        try keyed.encode(batch, forKey: .batch)
        try keyed.encode(values, forKey: .values)
        try keyed.encode(inputs, forKey: .inputs)
        try keyed.encode(parameters, forKey: .parameters)
        try keyed.encode(buffers, forKey: .buffers)
        try keyed.encode(constants, forKey: .constants)
        try keyed.encode(nodes, forKey: .nodes)
        try keyed.encode(outputs, forKey: .outputs)
        try keyed.encodeIfPresent(threshold, forKey: .threshold)
    }
}

extension Graph.Node: Codable {
    private enum Key: String, CodingKey {
        case op, inputs, outputs, attributes, source, module
    }

    public init(from decoder: Decoder) throws {
        let keyed = try decoder.container(keyedBy: Key.self)
        op = try keyed.decode(String.self, forKey: .op)
        inputs = try keyed.decode([Int?].self, forKey: .inputs)
        outputs = try keyed.decode([Int].self, forKey: .outputs)
        attributes = try keyed.decodeIfPresent([String: AttributeValue].self, forKey: .attributes) ?? [:]
        source = try keyed.decodeIfPresent(String.self, forKey: .source)
        module = try keyed.decodeIfPresent(String.self, forKey: .module)
    }

    public func encode(to encoder: Encoder) throws {
        var keyed = encoder.container(keyedBy: Key.self)
        try keyed.encode(op, forKey: .op)
        try keyed.encode(inputs, forKey: .inputs)
        try keyed.encode(outputs, forKey: .outputs)
        try keyed.encode(attributes, forKey: .attributes)
        try keyed.encodeIfPresent(source, forKey: .source)
        try keyed.encodeIfPresent(module, forKey: .module)
    }
}
