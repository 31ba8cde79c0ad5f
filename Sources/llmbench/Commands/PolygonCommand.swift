import ArgumentParser
import Datasets
import Drawing
import Endpoints
import Exchanges
import Foundation
import Polygons
import Prompts
import ResultStore

/// `llmbench polygon`: a model draws the mask, and no network is trained.
struct PolygonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "polygon",
        abstract: "Let a model draw the mask of each picture, with the controls that its score has to be held against.",
        discussion: """
            Documentation/Polygons.md says what is asked, how answers are read and what is stored.

            EXAMPLES
              llmbench polygon demo                          drawings, trained networks and report at a small size
              llmbench polygon draw --model control-ellipse
              llmbench polygon draw --model fixture-tracer --draws 3
              llmbench polygon draw --model my-vision-model --base-url http://127.0.0.1:8711/v1 --limit 5 --budget 0.50
              llmbench polygon sweep --dataset generated-polyp
              llmbench polygon report --format html
            """,
        subcommands: [
            Draw.self, Refine.self, Gates.self, List.self, Sweep.self, Report.self, Demo.self,
        ])

    /// What the user typed is exit 2, a budget that is used up is exit 1, everything else here is the harness, the endpoint or the machine.
    static func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as CommandFailure: return error
        case let error as DrawingError:
            switch error {
            case .budgetReached, .tooFewDrawings: return CommandFailure.failed("\(error)")
            case .locked, .damaged: return CommandFailure.environment("\(error)")
            default: return CommandFailure.usage("\(error)")
            }
        default: return GenerateCommand.failure(error)
        }
    }
}

/// Who draws what, and how it is asked for: shared by the commands that draw.
struct DrawingOptions: ParsableArguments {
    @Option(
        help:
            "A model's id, as `llmbench models list` shows it; or control-ellipse, control-random, control-otsu, control-watershed, control-grabcut, truth-10, truth-15, truth-30, truth-60."
    )
    var model: String

    @Option(help: "The dataset, as `llmbench datasets list` shows it.")
    var dataset: String = "colin27-cerebellum"

    @Option(help: "What is asked for: polygon, box or point.")
    var shape: String = "polygon"

    @Option(help: "Draws of each picture; with several, their consensus is scored too.")
    var draws: Int = 1

    @Option(help: "Pixels a side of the square picture that is sent.")
    var size: Int = 512

    @Flag(help: "Draw a grid with its coordinates on the picture.")
    var grid = false

    @Option(help: "The numbers that are asked for: pixels, unit (0 to 1) or thousandths (0 to 1000).")
    var coordinates: String = "pixels"

    @Option(
        help:
            "What pictures go through first (dermoscopy, endoscopy, x-ray, ct, mri, or auto, which chooses by the picture), where the model looks (pyramid, static-box, cross-slice), or both, as mri+pyramid."
    )
    var skill: String?

    @Option(
        help:
            "Drawings of one conversation: with more than 1 the model is shown its drawing, a map of doubt and a grid, and draws again."
    )
    var turns: Int = 1

    @Option(
        help:
            "What decides which drawing of a conversation, or of several looks, is kept: boundary-contrast or region-darkness."
    )
    var gate: String = "boundary-contrast"

    @Option(help: "Of sampling, from 0 to 2; left to the endpoint when not given.")
    var temperature: Double?

    @Option(help: "Of sampling, for the first draw; each further one takes the next number.")
    var samplingSeed: Int?

    @Option(name: .customLong("base-url"), help: "Another server than the model card's.")
    var baseURL: String?

    @Option(help: "Append every exchange to this file.")
    var record: String?

    @Option(help: "Answer from this recording instead of the model.")
    var replay: String?

    @Option(help: "US dollars that these drawings may cost, what was spent on them before included.")
    var budget: Double?

    @Option(help: "Requests on their way at once, from 1 to 64; the first of a set goes by itself.")
    var parallel: Int = 4

    func validate() throws {
        guard DrawingSession.parallel.contains(parallel) else {
            throw ValidationError("--parallel \(parallel): give a number from 1 to 64")
        }
        guard ShapeKind(rawValue: shape) != nil else {
            throw ValidationError("--shape \(shape): give polygon, box or point")
        }
        guard let convention = CoordinateConvention(rawValue: coordinates), convention != .percent else {
            throw ValidationError("--coordinates \(coordinates): give pixels, unit or thousandths")
        }
        guard (1...DrawingSettings.mostDraws).contains(draws) else {
            throw ValidationError("--draws \(draws): give a number from 1 to \(DrawingSettings.mostDraws)")
        }
        guard DrawingSettings.sizes.contains(size) else {
            throw ValidationError(
                "--size \(size): give a number from \(DrawingSettings.sizes.lowerBound) to \(DrawingSettings.sizes.upperBound)"
            )
        }
        guard (1...DrawingSettings.mostTurns).contains(turns) else {
            throw ValidationError("--turns \(turns): give a number from 1 to \(DrawingSettings.mostTurns)")
        }
        guard Self.gates[gate] != nil else {
            throw ValidationError("--gate \(gate): give boundary-contrast or region-darkness")
        }
        if let temperature, !(0...2).contains(temperature) {
            throw ValidationError("--temperature \(temperature): give a number from 0 to 2")
        }
        if let budget, !(budget > 0 && budget.isFinite) {
            throw ValidationError("--budget \(budget): give an amount above 0, in US dollars")
        }
        guard record == nil || replay == nil else {
            throw ValidationError("--record and --replay exclude each other: a replayed reply is recorded already")
        }
    }

    private static let gates: [String: GateScore] = [
        "boundary-contrast": .boundaryContrast(ring: 3), "region-darkness": .regionDarkness,
    ]

    /// - Throws: `DrawingError.unknownSkill`.
    private var settings: DrawingSettings {
        get throws {
            DrawingSettings(
                shape: ShapeKind(rawValue: shape) ?? .polygon, draws: draws, size: size, grid: grid,
                convention: CoordinateConvention(rawValue: coordinates) ?? .pixels,
                skill: try skill.map { try DrawingSkill(named: $0) }, turns: turns,
                loopGate: Self.gates[gate] ?? .boundaryContrast(ring: 3), temperature: temperature,
                samplingSeed: samplingSeed)
        }
    }

    func session(_ workspace: Workspace, study: String) throws -> DrawingSession {
        try DrawingSession(
            workspace: workspace, study: study, drawer: model, dataset: dataset, settings: try settings,
            reach: .init(
                baseURL: baseURL, replay: replay.map { URL(filePath: $0) }, record: record.map { URL(filePath: $0) }))
    }
}
