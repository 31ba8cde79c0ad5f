import Foundation

/// One stream of a program on its way to a file: stored up to a bound, counted beyond it.
final class OutputCapture {
    private var pipe: Pipe2
    private let file: Int32
    private let path: String
    private let limit: Int
    private(set) var stored = 0
    private(set) var dropped = 0
    /// The first bytes of the stream, for reading what bubblewrap itself had to say.
    private(set) var head: [UInt8] = []
    /// `errno` of a failed write, most likely `ENOSPC`.
    private(set) var failure: Int32?

    var isOpen: Bool { pipe.readEnd >= 0 }
    var descriptor: Int32 { pipe.readEnd }
    /// The end that the program writes to; it must be closed here once the program has it.
    var writeEnd: Int32 { pipe.writeEnd }
    var printed: Int { stored + dropped }

    /// - Parameter url: Created, or emptied; a link in its place is not followed.
    init(to url: URL, limit: Int) throws(SandboxError) {
        path = url.path(percentEncoded: false)
        self.limit = limit
        pipe = try Pipe2()
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw errno == ENOSPC
                ? .diskFull(path: path) : .broken(reason: "cannot write \(path): \(systemMessage(errno))")
        }
        _ = fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK)
    }

    deinit { close(file) }

    func closeWriteEnd() { pipe.closeWriteEnd() }

    /// Takes what has arrived, at most a few mebibytes a call so that one stream cannot starve the watchdog.
    func drain(_ buffer: inout [UInt8]) {
        for _ in 0..<64 where isOpen {
            let count = read(pipe.readEnd, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { pipe.closeReadEnd() }
                return
            }
            guard count > 0 else { return pipe.closeReadEnd() }
            store(buffer[..<count])
        }
    }

    private func store(_ bytes: ArraySlice<UInt8>) {
        if head.count < 4096 { head += bytes.prefix(4096 - head.count) }
        let kept = bytes.prefix(max(0, limit - stored))
        dropped += bytes.count - kept.count
        var offset = 0
        kept.withUnsafeBytes { kept in
            while offset < kept.count, failure == nil {
                let count = write(file, kept.baseAddress! + offset, kept.count - offset)
                if count < 0 {
                    if errno != EINTR { failure = errno }
                } else {
                    offset += count
                }
            }
        }
        stored += kept.count
    }
}
