import Foundation
import Synchronization

/// Standard output, of which a piece may not be lost without a word: what could not be written is said at the end, with exit 3.
enum StandardOutput {
    /// The first failure, as `errno`; nothing is written after it.
    private static let failure = Mutex<Int32?>(nil)

    static func write(_ text: String) {
        var text = text
        failure.withLock { failure in
            text.withUTF8 { bytes in
                var done = 0
                while done < bytes.count, failure == nil {
                    let count = Foundation.write(STDOUT_FILENO, bytes.baseAddress! + done, bytes.count - done)
                    if count >= 0 {
                        done += count
                    } else if errno == EAGAIN {
                        // A pipe or terminal that somebody made non-blocking.
                        var place = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                        poll(&place, 1, -1)
                    } else if errno != EINTR {
                        failure = errno
                    }
                }
            }
        }
    }

    /// - Throws: `CommandFailure.environment` where anything that was printed did not arrive.
    static func requireWhole() throws(CommandFailure) {
        guard let code = failure.withLock({ $0 }) else { return }
        throw .environment(
            "standard output could not be written (\(String(cString: strerror(code)))): what was printed is incomplete; make room and run the same command again"
        )
    }
}

/// In place of the standard library's, which drops what it cannot write.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    StandardOutput.write(items.map { "\($0)" }.joined(separator: separator) + terminator)
}
