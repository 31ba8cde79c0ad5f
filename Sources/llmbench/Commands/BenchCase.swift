import ArgumentParser
import Foundation
import TensorRuntime

/// A network that both sides build.
struct BenchNetwork: Sendable {
    enum Kind: String, Sendable {
        /// The standard U-Net with four poolings, batch norm and Adam, in two and three dimensions.
        case unet, unet3d
        /// nnU-Net's 2-D plan with instance norm, leaky ReLU, deep supervision and SGD.
        case nnunet
    }

    var kind = Kind.unet
    var base: Int
    var size: Int
    var slices: Int?

    var train: Graph {
        kind == .nnunet ? NNUNetGraph(size: size).train : unet.train
    }

    var evaluation: Graph {
        kind == .nnunet ? NNUNetGraph(size: size).evaluation : unet.evaluation
    }

    func initialTensors() -> [String: Tensor] {
        kind == .nnunet ? NNUNetGraph(size: size).initialTensors(seed: 1) : unet.initialTensors(seed: 1)
    }

    private var unet: UNetGraph { UNetGraph(baseChannels: base, depth: 4, size: size, slices: slices) }

    /// The optimizer of the field for the network: Adam, or nnU-Net's SGD.
    var optimizer: OptimizerRule {
        kind == .nnunet
            ? .sgd(.init(learningRate: 1e-2, momentum: 0.99, weightDecay: 3e-5, nesterov: true)) : .adam()
    }
}

/// A measurement by which the runtime is judged, with the ratios that it is to reach.
struct BenchCase: Sendable {
    enum Kind: String, Sendable {
        case step, infer
    }

    var name: String
    var kind: Kind
    var title: String
    var network: BenchNetwork
    var batch: Int
    /// PyTorch's time over ours: against its default layout and against channels last.
    var goal: (contiguous: Double, channelsLast: Double?)

    static let all = [
        BenchCase(
            name: "base64-256-b2", kind: .step, title: "training step, base 64, 256×256, batch 2",
            network: BenchNetwork(base: 64, size: 256), batch: 2, goal: (2.5, 2.3)),
        BenchCase(
            name: "base64-256-b8", kind: .step, title: "training step, base 64, 256×256, batch 8",
            network: BenchNetwork(base: 64, size: 256), batch: 8, goal: (2.5, 2.3)),
        BenchCase(
            name: "base16-128-b8", kind: .step, title: "training step, base 16, 128×128, batch 8",
            network: BenchNetwork(base: 16, size: 128), batch: 8, goal: (2.5, 2.0)),
        BenchCase(
            name: "base64-256-b2", kind: .infer, title: "inference, base 64, 256×256, batch 2",
            network: BenchNetwork(base: 64, size: 256), batch: 2, goal: (2.5, 2.3)),
        BenchCase(
            name: "unet3d-b2", kind: .step, title: "3-D U-Net training step, base 16, 32×64×64, batch 2",
            network: BenchNetwork(kind: .unet3d, base: 16, size: 64, slices: 32), batch: 2, goal: (1.5, nil)),
        BenchCase(
            name: "nnunet-256-b4", kind: .step, title: "nnU-Net 2-D plan training step, 256×256, batch 4",
            network: BenchNetwork(kind: .nnunet, base: 32, size: 256), batch: 4, goal: (2.0, nil)),
    ]

    /// The names of one kind, for help texts.
    static func names(_ kind: Kind) -> String {
        all.filter { $0.kind == kind }.map(\.name).joined(separator: ", ")
    }

    static func named(_ name: String, _ kind: Kind) throws -> BenchCase {
        if let found = all.first(where: { $0.name == name && $0.kind == kind }) { return found }
        throw ValidationError("there is no case '\(name)' of bench \(kind.rawValue); there are \(names(kind))")
    }
}

/// Multiplications and additions of the convolutions of a graph by the definition: the yardstick of GFLOP/s.
func convolutionOperations(_ graph: Graph, batch: Int) -> Double {
    let shapes = Dictionary(
        uniqueKeysWithValues: graph.values.map { ($0.id, $0.shape.map { $0.size(batch: batch) }) })
    return graph.nodes.filter { $0.op == "convolution" }.reduce(0) { sum, node in
        guard let x = node.inputs[0], let weight = node.inputs[1], let input = shapes[x], let w = shapes[weight],
            let output = shapes[node.outputs[0]]
        else { return sum }
        // A transposed convolution multiplies its weights with each pixel of what goes in, any other with each that comes out.
        let isTransposed = node.attributes["transposed"] == .bool(true)
        let image = isTransposed ? input : output
        let pixels = image.enumerated().filter { $0.offset != 1 }.map(\.element).reduce(1, *)
        return sum + 2 * Double(pixels) * Double(w.reduce(1, *))
    }
}

/// What the measurements were made on.
enum BenchMachine {
    /// Processor, its vector extensions, cores, load, kernel.
    static var line: String {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        func field(_ name: String) -> String {
            let line = cpu.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "?"
        }
        let wanted = ["avx2", "fma", "avx512f", "avx512vl", "avx512_bf16", "amx_tile"]
        let flags = Set(field("flags").split(separator: " ").map(String.init))
        let model = "\(field("model name")) (family \(field("cpu family")), model \(field("model")))"
        let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.prefix { $0 != " " } ?? "?"
        return "\(model), \(wanted.filter(flags.contains).joined(separator: " ")), "
            + "\(ProcessInfo.processInfo.activeProcessorCount) cores, load \(load) at the start, "
            + ProcessInfo.processInfo.operatingSystemVersionString
    }

    /// The most memory that this process had resident, in bytes (Linux).
    static var peakResident: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }

    /// Processor seconds of all threads of this process.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
