/// A part of a network: parameters, buffers and further modules in its stored properties.
///
/// ```swift
/// final class Residual: Layer {
///     let conv1: Conv2d
///     let norm: BatchNorm2d
///     init(_ channels: Int) {
///         conv1 = Conv2d(channels, channels, kernel: 3, padding: 1, bias: false)
///         norm = BatchNorm2d(channels)
///     }
///     override func forward(_ x: Variable) throws -> Variable { try x + norm(conv1(x)).relu() }
/// }
/// ```
///
/// Properties are found by reflection, so nothing is registered: a `Parameter`, `Buffer` or `Module`, an optional, array or
/// dictionary of them. Names are those of the properties in snake case (`runningMean` is `running_mean`), joined by dots, which are
/// PyTorch's names when the properties are named as its attributes; `key(of:)` renames one. Which modules there are must not
/// change after the first use of a model. A class, since layers are shared and keep running statistics.
open class Module {
    /// Whether dropout drops and batch norm uses its batch.
    public private(set) var isTraining = true
    /// A mistake in the arguments of an initializer, thrown when the layer is first used, so that properties can be
    /// initialized without `try`.
    var fault: String?
    private var inventory: Inventory?
    private var store: ParameterStore?

    /// Parts are given to the properties before or after; nothing is registered.
    public init() {}

    /// The name of a property in state dictionaries: snake case unless overridden.
    open func key(of property: String) -> String {
        var key = ""
        for character in property {
            if character.isUppercase, !key.isEmpty { key += "_" }
            key += character.lowercased()
        }
        return key
    }

    private func contents() -> Inventory {
        if let inventory { return inventory.with(self) }
        var found = Inventory()
        found.visit(self, "")
        inventory = found.without(self)
        return found
    }

    /// Parameters and buffers in the form that optimizers, clipping and checkpoints take; they share memory with the module.
    public var parameters: ParameterStore {
        if let store { return store }
        let contents = contents()
        let made = ParameterStore(
            parameters: contents.unique(contents.parameters).compactMap { entry in
                entry.variable.node.leaf.map { (entry.name, $0) }
            },
            buffers: contents.unique(contents.buffers).compactMap { entry in
                entry.variable.node.leaf.map { (entry.name, $0) }
            })
        store = made
        return made
    }

    /// Parameters by name, in the order of the properties, each once.
    public var namedParameters: [(name: String, parameter: Parameter)] {
        let contents = contents()
        return contents.unique(contents.parameters).compactMap { entry in
            (entry.variable as? Parameter).map { (entry.name, $0) }
        }
    }

    /// This module and those in it by name, in the order of the properties; its own name is empty.
    public var namedModules: [(name: String, module: Module)] { contents().modules }

    /// Switches this module and those in it to training, or to evaluation.
    public func train(_ isTraining: Bool = true) {
        for (_, module) in contents().modules { module.isTraining = isTraining }
    }

    /// Switches this module and those in it to evaluation.
    public func evaluate() { train(false) }

    /// Forgets the gradients of all parameters.
    public func zeroGradients() {
        for entry in contents().parameters { entry.variable.zeroGradient() }
    }

    /// Parameters and buffers by PyTorch's names.
    public func state() -> [String: Tensor] {
        let contents = contents()
        return Dictionary(
            (contents.parameters + contents.buffers).compactMap { entry in
                entry.variable.node.leaf.map { (entry.name, $0.tensor) }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes parameters and buffers by name, as `load_state_dict`.
    ///
    /// Throws `RuntimeError.tensorMismatch` for another shape and, when `strict`, `.invalidCheckpoint` listing the names that are
    /// missing or unknown; nothing is changed then.
    public func load(_ state: [String: Tensor], strict: Bool = true) throws {
        for entry in try entries(fitting: state.mapValues(\.shape), strict: strict) {
            if let tensor = state[entry.name] { entry.variable.node.leaf?.set(tensor) }
        }
    }

    /// Parameters and buffers with names; throws what `load` throws where a state of these shapes does not fit them.
    func entries(fitting state: [String: [Int]], strict: Bool) throws -> [(name: String, variable: Variable)] {
        let contents = contents()
        let entries = contents.parameters + contents.buffers
        if strict {
            let known = Set(entries.map(\.name))
            let missing = entries.map(\.name).filter { state[$0] == nil }
            let unknown = state.keys.filter { !known.contains($0) }.sorted()
            guard missing.isEmpty, unknown.isEmpty else {
                let parts = [("missing", missing), ("unknown", unknown)].filter { !$0.1.isEmpty }
                throw RuntimeError.invalidCheckpoint(
                    parts.map { "\($0.0) are \($0.1.joined(separator: ", "))" }.joined(separator: "; "))
            }
        }
        for entry in entries {
            if let shape = state[entry.name], shape != entry.variable.shape {
                throw RuntimeError.tensorMismatch(name: entry.name, expected: entry.variable.shape, got: shape)
            }
        }
        return entries
    }

    /// Runs a call of this module: operations inside carry its name in errors and profiles. For modules with several inputs, whose
    /// `callAsFunction` wraps its body in this; `Layer` does so itself.
    public func scope<R>(_ body: () throws -> R) throws -> R {
        let frame = CallFrame.current
        var paths = frame.paths
        if paths == nil {
            if contents().names[ObjectIdentifier(self)] == nil { inventory = nil }
            paths = contents().names
        }
        let own = paths?[ObjectIdentifier(self)]
        // A module that was not there when the model was first used goes by its type.
        let path = own ?? [frame.path, "\(type(of: self))"].filter { !$0.isEmpty }.joined(separator: ".")
        if let fault {
            throw RuntimeError.invalidOperation(name: "\(type(of: self))", location: path, reason: fault)
        }
        return try CallFrame.$current.withValue(CallFrame(path: path, paths: paths)) { try body() }
    }
}

/// A module with one input and one output.
open class Layer: Module {
    /// What the layer computes; overridden by each layer, called through `callAsFunction`.
    open func forward(_ x: Variable) throws -> Variable { x }

    /// Runs `forward` under the name of the layer, which errors and profiles then say.
    public final func callAsFunction(_ x: Variable) throws -> Variable { try scope { try forward(x) } }
}

/// Layers one after another, named by their position.
public final class Sequential: Layer {
    /// The layers in the order in which they are applied.
    public let layers: [Layer]

    /// Each layer is applied to the result of the one before.
    public init(_ layers: [Layer]) { self.layers = layers }
    /// Each layer is applied to the result of the one before.
    public convenience init(_ layers: Layer...) { self.init(layers) }

    /// Positions are names by themselves, as in PyTorch.
    override public func key(of property: String) -> String { property == "layers" ? "" : super.key(of: property) }

    override public func forward(_ x: Variable) throws -> Variable { try layers.reduce(x) { try $1($0) } }
}

/// Which module is running, and what the modules of its model are called.
struct CallFrame: Sendable {
    var path = ""
    var paths: [ObjectIdentifier: String]?

    @TaskLocal static var current = CallFrame()
}

/// What reflection finds in a module.
private struct Inventory {
    typealias Entry = (name: String, variable: Variable)

    var parameters: [Entry] = []
    var buffers: [Entry] = []
    var modules: [(name: String, module: Module)] = []
    var names: [ObjectIdentifier: String] = [:]
    /// The modules around the one that is visited: one that holds itself is not entered again.
    private var around: Set<ObjectIdentifier> = []

    mutating func visit(_ module: Module, _ path: String) {
        guard around.insert(ObjectIdentifier(module)).inserted else { return }
        defer { around.remove(ObjectIdentifier(module)) }
        // A module in two places has its first name; its state has both.
        if names[ObjectIdentifier(module)] == nil {
            names[ObjectIdentifier(module)] = path
            modules.append((path, module))
        }
        var mirrors: [Mirror] = []
        var mirror: Mirror? = Mirror(reflecting: module)
        while let current = mirror, current.subjectType != Module.self {
            mirrors.append(current)
            mirror = current.superclassMirror
        }
        for child in mirrors.reversed().flatMap(\.children) {
            guard let label = child.label else { continue }
            visit(child.value, Inventory.join(path, module.key(of: Inventory.property(label))))
        }
    }

    /// What a module keeps: without itself, which would never be freed. A module comes first in its own inventory.
    func without(_ module: Module) -> Inventory {
        var inventory = self
        inventory.modules.removeAll { $0.module === module }
        return inventory
    }

    func with(_ module: Module) -> Inventory {
        var inventory = self
        inventory.modules.insert(("", module), at: 0)
        return inventory
    }

    private mutating func visit(_ value: Any, _ name: String) {
        switch value {
        case let parameter as Parameter: parameters.append((name, parameter))
        case let buffer as Buffer: buffers.append((name, buffer))
        case let module as Module: visit(module, name)
        default:
            let mirror = Mirror(reflecting: value)
            switch mirror.displayStyle {
            case .optional:
                if let wrapped = mirror.children.first { visit(wrapped.value, name) }
            case .collection:
                for (index, child) in mirror.children.enumerated() {
                    visit(child.value, Inventory.join(name, "\(index)"))
                }
            case .dictionary:
                guard let dictionary = value as? [String: Any] else { return }
                for (key, value) in dictionary.sorted(by: { $0.key < $1.key }) {
                    visit(value, Inventory.join(name, key))
                }
            default: return
            }
        }
    }

    private static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : name.isEmpty ? path : path + "." + name
    }

    /// The property behind the storage of a lazy or wrapped one.
    private static func property(_ label: String) -> String {
        let lazy = "$__lazy_storage_$_"
        return label.hasPrefix(lazy) ? String(label.dropFirst(lazy.count)) : String(label.drop { $0 == "_" })
    }

    func unique(_ entries: [Entry]) -> [Entry] {
        var seen: Set<ObjectIdentifier> = []
        return entries.filter { seen.insert(ObjectIdentifier($0.variable)).inserted }
    }
}
