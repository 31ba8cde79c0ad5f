import Datasets
import Drawing
import Endpoints
import Foundation
import ResultStore
import Synchronization
import TestSupport
import Testing

@Suite("Several requests at once")
struct ParallelTests {
    private static let square = #"{"polygons": [[[100, 160], [300, 160], [300, 350], [100, 350]]]}"#

    /// Holds requests until so many are there together, or for a while where they never are.
    private final class Meeting: Sendable {
        private let state = Mutex((present: 0, most: 0))
        let wanted: Int

        init(_ wanted: Int) { self.wanted = wanted }

        var most: Int { state.withLock { $0.most } }

        func attend(_ connection: Connection) {
            state.withLock {
                $0.present += 1
                $0.most = max($0.most, $0.present)
            }
            for _ in 0..<300 where state.withLock({ $0.most }) < wanted { connection.pause(0.02) }
            // Long enough for one too many to come.
            connection.pause(0.1)
        }

        func leave() { state.withLock { $0.present -= 1 } }
    }

    private static func meeting(_ meeting: Meeting) throws -> LoopbackServer {
        try LoopbackServer { request, connection in
            if request.index > 0 { meeting.attend(connection) }
            if request.index > 0 { meeting.leave() }
            connection.beginEventStream()
            connection.delta(square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
    }

    @Test("as many are on their way as was said, after the first alone; the result is that of one by one")
    func atOnce() async throws {
        let meeting = Meeting(3)
        let server = try Self.meeting(meeting)
        defer { server.stop() }
        let place = try DrawingPlace()
        let settings = DrawingSettings(draws: 3)
        let session = try place.session("seer", settings, server: server)
        let summary = try await session.run(parallel: 3)
        #expect(meeting.most == 3 && server.requests.count == 9 && summary.totals.drawn == 9)
        let other = try await place.session("seer", settings, server: server, study: "one-by-one").run()
        #expect(other.scores == summary.scores && other.totals.cost == summary.totals.cost)
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(rows.allSatisfy { $0.ordinal == 0 && $0.requestHash != nil })
        #expect(try session.store.integrityProblems().isEmpty)
        #expect(try await session.run(parallel: 3) == summary)
        #expect(server.requests.count == 18)
    }

    @Test("the row of each stands in the store before it is on its way")
    func rows() async throws {
        let place = try DrawingPlace()
        let session = Mutex<DrawingSession?>(nil)
        let open = Mutex<[Int]>([])
        let server = try answering { request in
            let count = session.withLock { session in
                (try? session.map { try $0.store.drawings(set: $0.set.id ?? 0).count { $0.status == .asked } }) ?? 0
            }
            open.withLock { $0.append(count) }
            return Self.square
        }
        defer { server.stop() }
        let mine = try place.session("seer", DrawingSettings(draws: 2), server: server)
        session.withLock { $0 = mine }
        _ = try await mine.run(parallel: 4)
        #expect(open.withLock { $0.count == 6 && $0.allSatisfy { $0 >= 1 } })
    }

    @Test("a failure lets no other leave, loses nothing that is on its way, and the same call asks for the rest")
    func failure() async throws {
        let meeting = Meeting(3)
        let server = try LoopbackServer { request, connection in
            if (1...3).contains(request.index) {
                meeting.attend(connection)
                // The others answer after the failure.
                if request.index == 2 { return connection.respond(503, body: "{}") }
                connection.pause(0.5)
            }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let place = try DrawingPlace()
        let session = try place.session("seer", DrawingSettings(draws: 4), server: server)
        await #expect(throws: EndpointError.self) { try await session.run(parallel: 3) }
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(server.requests.count == 4 && rows.count == 4)
        #expect(rows.count { $0.status == .drawn } == 3 && rows.count { $0.status == .refused } == 1)
        let summary = try await session.run(parallel: 3)
        #expect(summary.totals.drawn == 12 && server.requests.count == 13)
    }

    @Test("a budget counts what is on its way: not one request too many leaves")
    func budget() async throws {
        let place = try DrawingPlace()
        let server = try LoopbackServer { _, connection in
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 4000, output: 1000)
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(draws: 4), server: server)
        // 14 cents each: four fit, and three would be on their way when the fifth is refused.
        do {
            _ = try await session.run(budget: 0.6, parallel: 8)
            Issue.record("it ran")
        } catch let error as DrawingError {
            guard case .budgetReached(_, let spent, let next, 4, 12) = error else { throw error }
            #expect(abs(spent - 0.56) < 1e-9 && abs(next - 0.14) < 1e-9)
        }
        #expect(server.requests.count == 4)
        let summary = try await session.run(budget: 10, parallel: 8)
        #expect(summary.totals.drawn == 12 && server.requests.count == 12)
    }

    @Test("a server that takes no pictures is asked once however many were allowed")
    func refusedOnce() async throws {
        let place = try DrawingPlace()
        let server = try LoopbackServer { _, connection in
            connection.respond(400, body: #"{"error":{"message":"seer does not support images"}}"#)
        }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(draws: 3), server: server)
        await #expect(throws: EndpointError.self) { try await session.run(parallel: 8) }
        #expect(server.requests.count == 1)
    }

    @Test("an interruption leaves the rows of what was on its way, and the same call asks for what has no answer")
    func interrupted() async throws {
        let place = try DrawingPlace()
        let isFirst = Mutex(true)
        let held = Meeting(3)
        let server = try LoopbackServer { request, connection in
            if request.index > 0, isFirst.withLock({ $0 }) {
                held.attend(connection)
                while connection.isOpen, isFirst.withLock({ $0 }) { connection.pause(0.02) }
                return
            }
            connection.beginEventStream()
            connection.delta(Self.square, finish: "stop")
            connection.usage(input: 400, output: 100)
            connection.done()
        }
        defer { server.stop() }
        let session = try place.session("seer", DrawingSettings(draws: 2), server: server)
        let task = Task { try await session.run(parallel: 3) }
        for _ in 0..<1000 where held.most < 3 { try await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        isFirst.withLock { $0 = false }
        let rows = try session.store.drawings(set: try #require(session.set.id))
        #expect(rows.count == 4 && rows.count { $0.status == .drawn } == 1 && server.requests.count == 4)
        let summary = try await session.run(parallel: 3)
        #expect(summary.totals.drawn == 6 && summary.totals.requests == 9 && server.requests.count == 9)
    }

    @Test("a number that cannot be is refused")
    func refusals() async throws {
        let place = try DrawingPlace()
        let session = try place.session("control-otsu")
        for parallel in [0, 65] {
            await #expect(
                throws: DrawingError.number(
                    setting: "--parallel", value: "\(parallel)", range: "a number from 1 to 64")
            ) { try await session.run(parallel: parallel) }
        }
    }
}
