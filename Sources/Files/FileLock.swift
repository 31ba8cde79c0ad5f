import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock on a file, held by one process at a time and given up by the kernel when the process dies.
public final class FileLock: Sendable {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case held(path: String)
        case unusable(path: String, reason: String)

        public var description: String {
            switch self {
            case .held(let path): "another process holds \(path)"
            case .unusable(let path, let reason): "cannot lock \(path): \(reason); see to its folder"
            }
        }
    }

    private let descriptor: Mutex<Int32?>

    /// Waits until the lock is free.
    public convenience init(waitingFor file: URL) throws {
        try self.init(file, flags: LOCK_EX)
    }

    /// - Throws: `Failure.held` at once when another process has it.
    public convenience init(trying file: URL) throws {
        try self.init(file, flags: LOCK_EX | LOCK_NB)
    }

    private init(_ file: URL, flags: Int32) throws {
        let path = file.path(percentEncoded: false)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw Failure.unusable(path: path, reason: String(cString: strerror(errno))) }
        while flock(descriptor, flags) != 0 {
            if errno == EINTR { continue }
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { throw Failure.held(path: path) }
            throw Failure.unusable(path: path, reason: String(cString: strerror(code)))
        }
        self.descriptor = Mutex(descriptor)
    }

    /// Leaves a line in the file for those who find it held: who holds it. Nothing is written once the lock is released.
    public func write(_ line: String) {
        descriptor.withLock { held in
            guard let held else { return }
            let bytes = Array((line + "\n").utf8)
            ftruncate(held, 0)
            _ = bytes.withUnsafeBytes { pwrite(held, $0.baseAddress, $0.count, 0) }
        }
    }

    public func release() {
        descriptor.withLock { held in
            if let open = held {
                // Closing alone does not give it up while a child between its fork and its exec still has a copy of the descriptor.
                flock(open, LOCK_UN)
                close(open)
            }
            held = nil
        }
    }

    deinit {
        release()
    }
}
