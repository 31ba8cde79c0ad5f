/// Splits a byte stream into the data of server-sent events, however the bytes are cut on their way.
///
/// Lines end in LF, CR or CR LF; the `data` lines of one event are joined by LF; comments and other fields are passed
/// over (WHATWG HTML Living Standard, section 9.2, *Server-sent events*).
struct ServerSentEventParser {
    /// An event larger than this is no piece of a reply.
    static let maximumEventBytes = 8 << 20

    enum Failure: Error {
        case eventTooLarge(Int)
    }

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var lastWasReturn = false
    private var isFirstLine = true

    /// - Returns: the data of the events that these bytes complete.
    /// - Throws: `Failure.eventTooLarge`. Cost: linear.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) throws -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            switch byte {
            case 0x0A where lastWasReturn: lastWasReturn = false
            case 0x0A, 0x0D:
                lastWasReturn = byte == 0x0D
                if let event = endLine() { events.append(event) }
            default:
                lastWasReturn = false
                line.append(byte)
                if line.count + data.count > Self.maximumEventBytes {
                    throw Failure.eventTooLarge(Self.maximumEventBytes)
                }
            }
        }
        return events
    }

    /// The event that the end of the stream leaves without its empty line: the standard drops it, servers mean it.
    mutating func finish() -> [UInt8]? {
        if !line.isEmpty, let event = endLine() { return event }
        return endEvent()
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty { return endEvent() }
        guard line.starts(with: Self.field) else { return nil }
        var value = line[Self.field.count...]
        if value.first == 0x20 { value = value.dropFirst() }
        if hasData { data.append(0x0A) }
        data.append(contentsOf: value)
        hasData = true
        return nil
    }

    private mutating func endEvent() -> [UInt8]? {
        guard hasData else { return nil }
        defer {
            data = []
            hasData = false
        }
        return data
    }

    private static let field = Array("data:".utf8)
}
