import Foundation
import Testing

@testable import Datasets

@Suite("A file that cannot be written")
struct WriteFailureTests {
    @Test("on a full disk says so, and what to do")
    func full() {
        // The kernel's own full device gives the error that a full disk gives.
        let device = URL(filePath: "/dev/full")
        let failure = #expect(throws: (any Error).self) {
            let handle = try FileHandle(forWritingTo: device)
            try handle.write(contentsOf: Data([1]))
        }
        #expect(
            failure.map { WriteFailure(device, $0).description }
                == "no space left for /dev/full: free some and run the same command again")
        #expect(WriteFailure(path: "/x", code: EDQUOT).isFullDisk && WriteFailure(path: "/x", code: ENOSPC).isFullDisk)
    }

    @Test("for another reason names it, and its path cannot speak to a terminal")
    func other() {
        let failure = WriteFailure(path: "/x\u{1b}[31m", code: EACCES)
        #expect(!failure.isFullDisk && !failure.description.contains("\u{1b}"))
        #expect(failure.description.hasSuffix(": Permission denied"))
        #expect(throws: WriteFailure.self) {
            try AtomicFile.write([1], to: URL(filePath: "/nowhere/at/all"))
        }
    }
}
