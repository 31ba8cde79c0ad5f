import ArgumentParser
import Diagnosis
import Files
import Foundation

struct DiagnoseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: "Which error class is this output?",
        discussion: """
            Reads what a Python program, a Swift compiler or a Swift program printed and names what the error report counts: \
            the exception that reached the top, the compiler's first error, the trap.

              llmbench diagnose generated/default/…/round-00/check/stderr
              python main.py 2>&1 | llmbench diagnose - --json

            Exit status 1: the output shows no error.
            """)

    @Argument(help: "A file with the output, or - for standard input.", completion: .file())
    var file: String

    @Option(help: "The folder of the program's own files, as the traceback names it.")
    var codeRoot = "/code"

    @OptionGroup var output: JSONOption

    /// Bytes read from the end of a larger file.
    private static let window = 4 << 20
    /// Bytes read at most of what has no size of its own: a pipe, a device.
    private static let limit = 256 << 20

    func run() async throws {
        let text = try text()
        guard
            let report = PythonDiagnosis(codeRoot: codeRoot).diagnose(text: text)
                ?? SwiftDiagnosis(codeRoot: codeRoot).diagnose(text: text)
        else {
            throw CommandFailure.failed("\(file == "-" ? "the input" : file) shows no Python or Swift error")
        }
        if output.json { return try JSONOption.print(Answer(report)) }
        print("class        \(Feedback.escaped(report.errorClass))")
        print("subcategory  \(report.subcategory.rawValue)")
        print("message      \(Feedback.escaped(report.message))")
        if let frame = report.frame {
            let function = frame.function.map { " in \($0)" } ?? ""
            print("frame        \(Feedback.escaped("\(frame.file):\(frame.line)\(function)"))")
        }
        print("signature    \(Feedback.escaped(report.signature))")
    }

    private func text() throws -> String {
        if file == "-" {
            return try end(of: FileHandle.standardInput, named: "the input")
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else {
            throw CommandFailure.usage("there is no file \(file)")
        }
        guard !isFolder.boolValue else {
            throw CommandFailure.usage("\(file) is a folder: name the file that holds the output of the program")
        }
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: file))
            defer { try? handle.close() }
            var status = stat()
            if fstat(handle.fileDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                let size = try handle.seekToEnd()
                try handle.seek(toOffset: size > UInt64(Self.window) ? size - UInt64(Self.window) : 0)
            }
            return try end(of: handle, named: file)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure.usage("\(file) cannot be read: \(SystemReason.of(error) ?? "\(error)")")
        }
    }

    /// The last bytes of what is read to its end; never more than a window of them is held.
    private func end(of handle: FileHandle, named name: String) throws -> String {
        var (kept, count) = (Data(), 0)
        while true {
            let read: Data?
            do { read = try handle.read(upToCount: 1 << 20) } catch {
                throw CommandFailure.usage("\(name) cannot be read: \(SystemReason.of(error) ?? "\(error)")")
            }
            guard let piece = read, !piece.isEmpty else { break }
            count += piece.count
            guard count <= Self.limit else {
                throw CommandFailure.usage(
                    "\(name) goes on after \(Self.limit >> 20) MiB: give the end of it alone, as `tail -c 4M` prints it"
                )
            }
            kept = Data((kept + piece).suffix(Self.window))
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// All fields are always there; what is not known is null.
    private struct Answer: Encodable {
        let report: ErrorReport

        init(_ report: ErrorReport) {
            self.report = report
        }

        enum CodingKeys: String, CodingKey {
            case errorClass = "class"
            case subcategory, message, frame, signature
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(report.errorClass, forKey: .errorClass)
            try container.encode(report.subcategory, forKey: .subcategory)
            try container.encode(report.message, forKey: .message)
            try container.encode(report.frame, forKey: .frame)
            try container.encode(report.signature, forKey: .signature)
        }
    }
}
