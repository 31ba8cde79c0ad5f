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

    /// From pictures to rows with their results, several requests at once. After a failure none is sent, those on their way are awaited,
    /// and the first failure is thrown.
    ///
    /// - Parameters:
    ///   - turns: which drawings of each draw.
    ///   - atOnce: requests on their way at most.
    func settle(_ plan: [(String, Int)], _ part: DrawingRecord.Part, turns: Range<Int>, atOnce: Int) async throws {
        var rest = plan.makeIterator()
        var failure: (any Error)?
        await withTaskGroup(of: (any Error)?.self) { group in
            func begin() {
                guard failure == nil, let (sample, draw) = rest.next() else { return }
                group.addTask {
                    do {
                        try await settle(sample, draw, part, turns)
                        return nil
                    } catch {
                        await admission.stop()
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
        let reply = try ReplyFile.whole(in: folder)
        // What answered was shown what is written beside it, whatever would be shown now.
        let shown: DrawingView? =
            try reply != nil && views.look != nil
            ? DrawingView(in: folder.url) : views.view(sample, draw: draw, turn: turn, of: original)
        guard let view = shown else { return false }
        let sent = try session.settings.sent(original, window: view.window)
        let request = try request(sample, draw, turn, original, sent, view)
        let open = earlier.last { $0.status == .asked }
        let next = DrawingRecord(
            setId: try setID(), part: part, sample: sample, draw: draw, turn: turn, ordinal: earlier.count,
            requestHash: try request.sha256())
        if let reply {
            // Without an open row where the database is younger than the folder.
            try finish(try open ?? store.insertDrawing(next), with: reply, to: request, sent)
        } else {
            if let open { try lose(open, in: folder, request) }
            try await ask(next, in: folder, request, sent, view)
        }
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
        let reservation = try await admission.admit(expected: expected)
        do {
            try await send(drawing, in: folder, request, sent, view)
            await admission.release(reservation, isAnswered: true)
        } catch {
            // Before the place is given back: nobody may take it after a failure.
            await admission.stop()
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
}
