import Datasets
import Endpoints
import Exchanges
import Foundation
import Polygons
import Prompts
import ResultStore

/// Asks a model for drawings: a row before the request leaves, the bytes as they come, the row completed when the reply is on disk.
struct DrawingAsker {
    let session: DrawingSession
    let card: ModelCard
    let endpoint: any ChatEndpoint
    let prompt: DrawingPrompt
    /// What follows a drawing where a conversation goes on.
    let feedback: RenderedPrompt?
    /// US dollars.
    let budget: Double?
    /// How many drawings were asked for in all.
    let planned: Int
    let observe: @Sendable (DrawingEvent) -> Void

    /// Bytes of an answer, for the price of one that was not yet given: 40 vertices with their brackets.
    private static let expectedBytes = 600

    private var store: ResultStore { session.store }

    private func setID() throws -> Int64 {
        guard let id = session.set.id else {
            throw DrawingError.unknownSet(name: session.set.path, study: session.set.study)
        }
        return id
    }

    /// Where what is said about one drawing lies.
    private func folder(_ sample: String, _ draw: Int, _ turn: Int) -> RoundDirectory {
        func number(_ index: Int) -> String { index < 10 ? "0\(index)" : "\(index)" }
        let name = "\(sample)/draw-\(number(draw))" + (turn > 0 ? "/turn-\(number(turn))" : "")
        return RoundDirectory(url: session.folder.appending(path: name, directoryHint: .isDirectory))
    }

    /// From a picture to rows with their results: as many as a conversation has turns, fewer where an answer could not be read.
    /// Repeating it changes nothing.
    func settle(_ sample: String, _ draw: Int, _ part: DrawingRecord.Part) async throws {
        let settings = session.settings
        var shown: (original: Image, sent: SentPicture)?
        for turn in 0..<settings.turns {
            try Task.checkCancellation()
            let earlier = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: turn)
            if let done = earlier.last(where: \.status.isSettled) {
                observe(.settled(done, isNew: false))
            } else {
                let original = try shown?.original ?? session.dataset.image(sample)
                let sent =
                    try shown?.sent
                    ?? SentPicture(
                        original, skill: settings.skill, size: settings.size,
                        grid: settings.grid ? settings.convention : nil)
                shown = (original, sent)
                try await settle(sample, draw, turn, part, earlier, original, sent)
            }
            let rows = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: turn)
            guard rows.last?.status == .drawn else { return }
        }
    }

    private func settle(
        _ sample: String, _ draw: Int, _ turn: Int, _ part: DrawingRecord.Part, _ earlier: [DrawingRecord],
        _ original: Image, _ sent: SentPicture
    ) async throws {
        let folder = folder(sample, draw, turn)
        let request = try request(sample, draw, turn, original, sent)
        let open = earlier.last { $0.status == .asked }
        let next = DrawingRecord(
            setId: try setID(), part: part, sample: sample, draw: draw, turn: turn, ordinal: earlier.count,
            requestHash: try request.sha256())
        if let reply = try ReplyFile.whole(in: folder) {
            // Without an open row where the database is younger than the folder.
            return try finish(try open ?? store.insertDrawing(next), with: reply, to: request, sent)
        }
        if let open { try lose(open, in: folder, request) }
        try await ask(next, in: folder, request, sent)
    }

    /// The conversation: the question, then each drawing with what was said back to it.
    private func request(
        _ sample: String, _ draw: Int, _ turn: Int, _ original: Image, _ sent: SentPicture
    ) throws -> ChatRequest {
        let settings = session.settings
        var messages = [ChatMessage(role: .user, content: prompt.text, images: [try sent.message()])]
        for before in 0..<turn {
            let rows = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: before)
            guard let feedback, let reply = try ReplyFile.whole(in: folder(sample, draw, before)),
                let mask = try DrawnMasks(rows, width: original.width, height: original.height, turn: before).masks
                    .first
            else {
                throw DrawingError.damaged(
                    what: "turn \(before) of draw \(draw) of \(sample)", reason: "its reply is missing or damaged")
            }
            messages.append(ChatMessage(role: .assistant, content: reply.content))
            messages.append(
                try LoopFeedback(
                    text: feedback.text, original: original, sent: sent, convention: settings.convention
                ).message(about: mask))
        }
        var request = card.chatRequest(
            messages, temperature: settings.temperature, seed: settings.samplingSeed.map { $0 + draw })
        request.subject =
            "\(session.dataset.name)/\(sample)/\(settings.shape.rawValue)/\(settings.chain ?? "plain")/draw-\(draw)"
        return request
    }

    private func ask(
        _ drawing: DrawingRecord, in folder: RoundDirectory, _ request: ChatRequest, _ sent: SentPicture
    ) async throws {
        try keepWithinBudget(request)
        try ExchangeFiles.makeFolder(folder.url)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try ExchangeFiles.write(try encoder.encode(request), to: folder.request)
        let drawing = try store.insertDrawing(drawing)
        observe(.asking(sample: drawing.sample, draw: drawing.draw))
        let observe = observe
        let file = ReplyFile(round: folder, ordinal: drawing.ordinal) {
            observe(.receiving(sample: drawing.sample, draw: drawing.draw, bytes: $0))
        }
        do {
            let reply = try await endpoint.complete(request, sink: file)
            try file.finish(reply)
            try finish(drawing, with: reply, to: request, sent)
        } catch let error as EndpointError {
            try refuse(drawing, in: folder, request, error)
            throw error
        }
    }

    /// Reads the answer and completes the row.
    private func finish(
        _ drawing: DrawingRecord, with reply: ChatReply, to request: ChatRequest, _ sent: SentPicture
    ) throws {
        var drawing = drawing
        drawing.completedAt = Date()
        drawing.finishReason = reply.finishReason.rawValue
        drawing.firstTokenSeconds = reply.firstTokenSeconds
        drawing.seconds = reply.totalSeconds
        drawing.attempts = reply.attempts
        drawing.warnings = reply.warnings
        drawing.route = sent.route
        charge(&drawing, RequestBill(of: reply, asked: Self.tokens(of: request)))
        do {
            let answer = try ReadDrawing(reply, on: sent, settings: session.settings)
            drawing.status = .drawn
            drawing.convention = answer.convention
            drawing.dress = answer.dress
            drawing.repairs = answer.repairs
            drawing.shape = try ShapeText(answer.shape).json
        } catch let failure as ReadDrawing.Failure {
            drawing.status = .failed
            drawing.failure = failure.reason
        }
        try store.updateDrawing(drawing)
        observe(.settled(drawing, isNew: true))
    }

    /// Records a request whose reply was cut when its process died: it may have been paid for.
    private func lose(_ drawing: DrawingRecord, in folder: RoundDirectory, _ request: ChatRequest) throws {
        var drawing = drawing
        drawing.status = .lost
        drawing.failure = "the harness ended before the reply was whole"
        charge(
            &drawing,
            RequestBill(received: ReplyFile.partialBytes(in: folder), asked: Self.tokens(of: request)))
        try ReplyFile.setAside(folder, as: "lost-\(drawing.ordinal)")
        try store.updateDrawing(drawing)
        observe(.lost(drawing))
    }

    private func refuse(
        _ drawing: DrawingRecord, in folder: RoundDirectory, _ request: ChatRequest, _ error: EndpointError
    ) throws {
        let bytes = ReplyFile.partialBytes(in: folder)
        var drawing = drawing
        drawing.status = .refused
        drawing.completedAt = Date()
        drawing.failure = error.description
        // Where nothing came back, nothing was charged.
        if bytes > 0 { charge(&drawing, RequestBill(received: bytes, asked: Self.tokens(of: request))) }
        try ReplyFile.setAside(folder, as: "failed-\(drawing.ordinal)")
        try store.updateDrawing(drawing)
    }

    private static func tokens(of request: ChatRequest) -> Int {
        ModelCard.estimatedUsage(of: request, receivedCharacters: 0).input
    }

    private func charge(_ drawing: inout DrawingRecord, _ bill: RequestBill) {
        drawing.inputTokens = bill.inputTokens
        drawing.outputTokens = bill.outputTokens
        drawing.reasoningTokens = bill.reasoningTokens
        drawing.costIsEstimate = bill.isEstimate
        drawing.cost = card.cost(of: TokenUsage(input: bill.inputTokens, output: bill.outputTokens))
    }

    /// The next request is expected to cost what those before it did on average.
    private func keepWithinBudget(_ request: ChatRequest) throws {
        guard let budget else { return }
        let all = try store.drawings(set: try setID())
        let costs = all.compactMap(\.cost)
        let spent = costs.reduce(0, +)
        let next =
            costs.isEmpty
            ? card.estimatedCost(of: request, receivedCharacters: Self.expectedBytes) ?? 0
            : spent / Double(costs.count)
        guard spent + next <= budget else {
            throw DrawingError.budgetReached(
                budget: budget, spent: spent, next: next, settled: all.count(where: \.status.isSettled),
                planned: planned)
        }
    }
}
