import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads files that somebody else may have prepared: code in the sandbox leaves symbolic links, FIFOs and devices where a
/// picture should be.
public enum UntrustedFile {
    /// The bytes of a regular file.
    ///
    /// The last component of the path is opened without following a link and without waiting for a writer; what is open is then
    /// checked, not the name. The size is bounded twice: as the file system states it, and while reading.
    ///
    /// - Throws: `UntrustedFileError`.
    public static func read(_ url: URL, maximumBytes: Int) throws(UntrustedFileError) -> [UInt8] {
        let path = url.path(percentEncoded: false)
        return try read(descriptor: try open(path, in: AT_FDCWD, name: path), name: path, maximumBytes: maximumBytes)
    }

    /// The same as `Data`, for what is large.
    public static func data(_ url: URL, maximumBytes: Int) throws(UntrustedFileError) -> Data {
        let path = url.path(percentEncoded: false)
        return try read(descriptor: try open(path, in: AT_FDCWD, name: path), name: path, maximumBytes: maximumBytes)
    }

    /// The same for a path below a folder of ours, where no component of the path may be a link.
    ///
    /// - Parameters:
    ///   - relative: Components separated by `/`; empty ones, `.` and `..` are refused.
    ///   - root: A folder whose own path is trusted.
    public static func read(
        _ relative: String, below root: URL, maximumBytes: Int
    ) throws(UntrustedFileError) -> [UInt8] {
        let name = root.path(percentEncoded: false) + "/" + relative
        let components = relative.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), let last = components.last else {
            throw .cannotOpen(path: name, reason: "the path leaves its folder")
        }
        var folder = openat(AT_FDCWD, root.path(percentEncoded: false), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .cannotOpen(path: name, reason: reason(errno)) }
        defer { close(folder) }
        for component in components.dropLast() {
            let next = openat(folder, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            guard next >= 0 else {
                throw code == ELOOP || code == ENOTDIR
                    ? .notRegular(path: name) : .cannotOpen(path: name, reason: reason(code))
            }
            close(folder)
            folder = next
        }
        return try read(descriptor: try open(last, in: folder, name: name), name: name, maximumBytes: maximumBytes)
    }

    private static func open(_ path: String, in folder: Int32, name: String) throws(UntrustedFileError) -> Int32 {
        guard !path.utf8.contains(0) else { throw .cannotOpen(path: name, reason: "its name holds a null byte") }
        let descriptor = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            let code = errno
            // ENXIO: a socket.
            throw code == ELOOP || code == ENXIO
                ? .notRegular(path: name) : .cannotOpen(path: name, reason: reason(code))
        }
        return descriptor
    }

    /// Closes the descriptor.
    private static func read<Bytes: RangeReplaceableCollection<UInt8>>(
        descriptor: Int32, name: String, maximumBytes: Int
    ) throws(UntrustedFileError) -> Bytes {
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: name, reason: reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: name) }
        let stated = Int(status.st_size)
        guard stated <= maximumBytes else { throw .tooLarge(path: name, maximumBytes: maximumBytes) }
        var bytes = Bytes()
        bytes.reserveCapacity(stated)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            #if canImport(Glibc)
                let count = Glibc.read(descriptor, &chunk, chunk.count)
            #else
                let count = Darwin.read(descriptor, &chunk, chunk.count)
            #endif
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotOpen(path: name, reason: reason(errno))
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= maximumBytes else { throw .tooLarge(path: name, maximumBytes: maximumBytes) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Why a file was not read.
public enum UntrustedFileError: Error, Sendable, Hashable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    /// A link, a folder, a FIFO, a device or a socket.
    case notRegular(path: String)
    case tooLarge(path: String, maximumBytes: Int)

    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "cannot open \(printable(path)): \(reason)"
        case .notRegular(let path): "\(printable(path)) is not a regular file (links are not followed)"
        case .tooLarge(let path, let maximum): "\(printable(path)) is larger than the \(maximum) bytes allowed here"
        }
    }
}
