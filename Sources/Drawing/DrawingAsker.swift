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
    /// What follows a drawing where a conversation goes on, or is said beside a further look.
    let followUp: RenderedPrompt?
    let views: DrawingViews
    let admission: RequestAdmission
    let stop: DrawingStop?
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
        RoundDirectory(
            url: session.folder.appending(
                path: DrawingSession.place(sample, draw, turn), directoryHint: .isDirectory))
    }

    /// From pictures to rows with their results, several requests at once. After a failure or a wish to stop none is sent, those on their
    /// way are awaited, and the first failure is thrown: `CancellationError` where a wish left something to do.
    ///
    /// - Parameters:
    ///   - turns: which drawings of each draw.
    ///   - atOnce: requests on their way at most.
    func settle(_ plan: [(String, Int)], _ part: DrawingRecord.Part, turns: Range<Int>, atOnce: Int) async throws {
        var rest = plan.makeIterator()
        var failure: (any Error)?
        await withTaskGroup(of: (any Error)?.self) { group in
            func begin() {
                guard failure == nil, !isStopping, let (sample, draw) = rest.next() else { return }
                group.addTask {
                    do {
                        try await settle(sample, draw, part, turns)
                        return nil
                    } catch {
                        await admission.close()
                        return error
                    }
                }
            }
            for _ in 0..<atOnce { begin() }
            while let ended = await group.next() {
                if let ended, failure == nil || failure is RequestAdmission.Stopped { failure = ended }
                begin()
            }
        }
        if let failure { throw failure }
        if isStopping, rest.next() != nil { throw CancellationError() }
    }

    private var isStopping: Bool { stop?.isRequested ?? false }

    /// Settles what an earlier process left open, before anything is asked and counted against a budget: a reply that is whole on disk is
    /// read, any other is lost with what it may have cost.
    func closeOpen() throws {
        for row in try store.drawings(set: try setID()) where row.status == .asked {
            let folder = folder(row.sample, row.draw, row.turn)
            let original = try session.dataset.image(row.sample)
            if let reply = try ReplyFile.whole(in: folder) {
                _ = try adopt(reply, row, in: folder, original)
            } else {
                let request = try folder.storedRequest ?? rebuilt(row, original)
                try lose(row, in: folder, asked: request.map(Self.tokens) ?? 0)
            }
        }
    }

    /// The request of a row whose file is gone; nil where what it followed is gone, too.
    private func rebuilt(_ row: DrawingRecord, _ original: Image) throws -> ChatRequest? {
        let view = try views.view(row.sample, draw: row.draw, turn: row.turn, of: original) ?? DrawingView()
        let sent = try session.settings.sent(original, window: view.window)
        return try? request(row.sample, row.draw, row.turn, original, sent, view)
    }

    /// Reads a reply that an earlier process left whole.
    ///
    /// - Parameter row: of its request, with nothing of the reply in it yet; it is stored where it has no id.
    private func adopt(
        _ reply: ChatReply, _ row: DrawingRecord, in folder: RoundDirectory, _ original: Image
    ) throws -> DrawingRecord {
        // What answered was shown what is written beside it, whatever would be shown now; so with its request.
        let view = views.look == nil ? DrawingView() : try DrawingView(in: folder.url)
        let sent = try session.settings.sent(original, window: view.window)
        let request =
            try folder.storedRequest ?? request(row.sample, row.draw, row.turn, original, sent, view)
        var row = row
        if row.id == nil {
            row.requestHash = try request.sha256()
            row = try store.insertDrawing(row)
        }
        return try finish(row, with: reply, asked: Self.tokens(of: request), sent)
    }

    /// As many rows as a conversation has turns or a draw has looks, fewer where an answer could not be read or there is nothing to look at.
    /// Repeating it changes nothing.
    private func settle(_ sample: String, _ draw: Int, _ part: DrawingRecord.Part, _ turns: Range<Int>) async throws {
        var original: Image?
        for turn in turns {
            try Task.checkCancellation()
            let earlier = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: turn)
            if let done = earlier.last(where: \.status.isSettled) {
                observe(.settled(done, isNew: false))
            } else {
                let image = try original ?? session.dataset.image(sample)
                original = image
                guard try await settle(sample, draw, turn, part, earlier, image) else { return }
            }
            let rows = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: turn)
            guard rows.last?.status == .drawn else { return }
        }
    }

    /// - Returns: false where there is nothing to look at.
    private func settle(
        _ sample: String, _ draw: Int, _ turn: Int, _ part: DrawingRecord.Part, _ earlier: [DrawingRecord],
        _ original: Image
    ) async throws -> Bool {
        let folder = folder(sample, draw, turn)
        var next = DrawingRecord(
            setId: try setID(), part: part, sample: sample, draw: draw, turn: turn, ordinal: earlier.count)
        // A reply without an open row: the database is younger than the folder.
        if let reply = try ReplyFile.whole(in: folder) {
            observe(.settled(try adopt(reply, next, in: folder, original), isNew: true))
            return true
        }
        guard let view = try views.view(sample, draw: draw, turn: turn, of: original) else { return false }
        let sent = try session.settings.sent(original, window: view.window)
        let request = try request(sample, draw, turn, original, sent, view)
        next.requestHash = try request.sha256()
        try await ask(next, in: folder, request, sent, view)
        return true
    }

    /// The conversation: the question, then each drawing with what was said back to it. A further look is a question of its own.
    private func request(
        _ sample: String, _ draw: Int, _ turn: Int, _ original: Image, _ sent: SentPicture, _ view: DrawingView
    ) throws -> ChatRequest {
        let settings = session.settings
        let isLook = settings.looks > 1
        var messages = [ChatMessage(role: .user, content: prompt.text, images: [try sent.message()])]
        if isLook, turn > 0, let followUp {
            messages[0].content += "\n" + followUp.text
            if let siblings = view.siblings {
                let shown = LoopFeedback(text: "", original: original, sent: sent, convention: settings.convention)
                messages[0].images.append(try LoopFeedback.part(shown.border(of: siblings)))
            }
        }
        for before in 0..<(isLook ? 0 : turn) {
            let rows = try store.drawings(set: try setID(), sample: sample, draw: draw, turn: before)
            guard let followUp, let reply = try ReplyFile.whole(in: folder(sample, draw, before)),
                let mask = try DrawnMasks(rows, width: original.width, height: original.height, turn: before).masks
                    .first
            else {
                throw DrawingError.damaged(
                    what: "turn \(before) of draw \(draw) of \(sample)", reason: "its reply is missing or damaged")
            }
            messages.append(ChatMessage(role: .assistant, content: reply.content))
            messages.append(
                try LoopFeedback(
                    text: followUp.text, original: original, sent: sent, convention: settings.convention
                ).message(about: mask))
        }
        var request = card.chatRequest(
            messages, temperature: settings.temperature, seed: settings.samplingSeed.map { $0 + draw })
        request.subject =
            "\(session.dataset.name)/\(sample)/\(settings.shape.rawValue)/\(settings.chain ?? "plain")/draw-\(draw)"
            + (isLook && turn > 0 ? "/look-\(turn)" : "")
        return request
    }

    private func ask(
        _ drawing: DrawingRecord, in folder: RoundDirectory, _ request: ChatRequest, _ sent: SentPicture,
        _ view: DrawingView
    ) async throws {
        let expected = card.estimatedCost(of: request, receivedCharacters: Self.expectedBytes) ?? 0
        let reservation = try await admission.admit(kind: drawing.turn, expected: expected)
        do {
            try await send(drawing, in: folder, request, sent, view)
            await admission.release(reservation, isAnswered: true)
        } catch {
            // Before the place is given back: nobody may take it after a failure.
            await admission.close()
            await admission.release(reservation, isAnswered: false)
            throw error
        }
    }

    private func send(
        _ drawing: DrawingRecord, in folder: RoundDirectory, _ request: ChatRequest, _ sent: SentPicture,
        _ view: DrawingView
    ) async throws {
        try ExchangeFiles.makeFolder(folder.url)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try ExchangeFiles.write(try encoder.encode(request), to: folder.request)
        if views.look != nil { try view.write(to: folder.url) }
        let drawing = try store.insertDrawing(drawing)
        observe(.asking(sample: drawing.sample, draw: drawing.draw))
        let observe = observe
        let file = ReplyFile(round: folder, ordinal: drawing.ordinal) {
            observe(.receiving(sample: drawing.sample, draw: drawing.draw, bytes: $0))
        }
        do {
            let reply = try await endpoint.complete(request, sink: file)
            try file.finish(reply)
            observe(
                .settled(try finish(drawing, with: reply, asked: Self.tokens(of: request), sent), isNew: true))
        } catch let error as EndpointError {
            try refuse(drawing, in: folder, request, error)
            throw error
        }
    }

    /// Reads the answer and completes the row.
    ///
    /// - Parameter asked: tokens of the request, estimated.
    private func finish(
        _ drawing: DrawingRecord, with reply: ChatReply, asked: Int, _ sent: SentPicture
    ) throws -> DrawingRecord {
        var drawing = drawing
        drawing.completedAt = Date()
        drawing.finishReason = reply.finishReason.rawValue
        drawing.firstTokenSeconds = reply.firstTokenSeconds
        drawing.seconds = reply.totalSeconds
        drawing.attempts = reply.attempts
        drawing.warnings = reply.warnings
        drawing.route = sent.route
        charge(&drawing, RequestBill(of: reply, asked: asked))
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
        return drawing
    }

    /// Records a request whose reply was cut when its process died: it may have been paid for.
    private func lose(_ drawing: DrawingRecord, in folder: RoundDirectory, asked: Int) throws {
        var drawing = drawing
        drawing.status = .lost
        drawing.failure = "the harness ended before the reply was whole"
        charge(&drawing, RequestBill(received: ReplyFile.partialBytes(in: folder), asked: asked))
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
}
