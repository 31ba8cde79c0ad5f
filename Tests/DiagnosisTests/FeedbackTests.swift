import Foundation
import Sandbox
import Testing

@testable import Diagnosis

@Suite("What is sent back")
struct FeedbackTests {
    private let traceback = """
        Traceback (most recent call last):
          File "/code/main.py", line 3, in <module>
            run()
        ValueError: bad
        """

    @Test("is the traceback from its first line to the end, and nothing before it")
    func wholeTraceback() {
        let errors = "/python/x.py:1: UserWarning: old\n  warn()\n" + traceback + "\nlast words\n"
        #expect(Feedback.verbatim(standardOutput: "sizes 25 3 4", standardError: errors) == traceback + "\nlast words")
    }

    @Test("begins with the traceback where a progress bar stands on the same line")
    func progressBar() {
        let errors =
            "\rtraining:   0%|  | 0/5 [00:00<?, ?it/s]\rtraining:  60%|█ | 3/5 [00:00<00:00, 8it/s]" + traceback
        #expect(Feedback.verbatim(standardOutput: "", standardError: errors) == traceback)
    }

    @Test("keeps all of a chain")
    func chain() {
        let first = traceback.replacing("ValueError: bad", with: "KeyError: 'a'")
        let errors =
            first + "\n\nDuring handling of the above exception, another exception occurred:\n\n" + traceback
        #expect(Feedback.verbatim(standardOutput: "", standardError: errors) == errors)
    }

    @Test("is the end of both streams where there is no traceback")
    func tails() {
        let output = String(repeating: "o", count: 10_000)
        let text = Feedback.verbatim(standardOutput: output, standardError: "main.py: error: no such option\n")
        #expect(text == String(repeating: "o", count: 4096) + "\nmain.py: error: no such option")
        #expect(Feedback.verbatim(standardOutput: "", standardError: "") == "")
        // A character is never cut in two.
        let umlauts = Feedback.verbatim(standardOutput: "x" + String(repeating: "ü", count: 5000), standardError: "")
        #expect(umlauts.allSatisfy { $0 == "ü" })
    }

    @Test("shows overwritten lines in their last state and escapes control characters")
    func controls() {
        let text = Feedback.verbatim(
            standardOutput: "1 %\r50 %\r100 %\nred \u{1b}[31mtext\u{07}\u{202e}\r\nend", standardError: "")
        #expect(text == "100 %\nred \\x1b[31mtext\\x07\\u202e\nend")
    }

    @Test("keeps head and tail of more than 16 KiB and marks the cut")
    func cap() {
        let errors = traceback + String(repeating: "ä", count: 40_000) + "THE END"
        let text = Feedback.verbatim(standardOutput: "", standardError: errors)
        #expect(text.utf8.count <= Feedback.maximumBytes)
        #expect(text.hasPrefix("Traceback"))
        #expect(text.hasSuffix("THE END"))
        #expect(text.contains("bytes left out"))
        #expect(!text.contains("\u{fffd}"))
    }
}

@Suite("The signature of an error")
struct ErrorSignatureTests {
    @Test(
        "is the same where only addresses, processes, times or temporary names differ",
        arguments: [
            ("<Net object at 0x7f00aa> failed", "<Net object at 0x7f11bb> failed"),
            ("DataLoader worker (pid 4711) is killed", "DataLoader worker (pid 12) is killed"),
            ("DataLoader worker (pid(s) 1, 22) exited", "DataLoader worker (pid(s) 5) exited"),
            ("cannot write /tmp/tmpab12/x.png", "cannot write /tmp/tmpzz/x.png"),
            ("loss is 0.731 and lr 1e-05", "loss is 0.802 and lr 3e-04"),
            ("in DataLoader worker process 0.", "in DataLoader worker process 1."),
        ])
    func same(_ pair: (String, String)) {
        #expect(ErrorSignature.normalised(pair.0) == ErrorSignature.normalised(pair.1))
    }

    @Test("differs where shapes, names or places differ")
    func different() {
        #expect(
            ErrorSignature.normalised("size 32 and 31") != ErrorSignature.normalised("size 64 and 62"))
        let a = ErrorReport.Frame(file: "model.py", line: 3, function: "forward")
        let b = ErrorReport.Frame(file: "model.py", line: 9, function: "forward")
        let c = ErrorReport.Frame(file: "train.py", line: 3, function: "forward")
        func signature(_ frame: ErrorReport.Frame) -> String {
            ErrorSignature.make(errorClass: "ValueError", message: "x", frame: frame)
        }
        // The line moves with every edit above it.
        #expect(signature(a) == signature(b))
        #expect(signature(a) != signature(c))
    }
}

@Suite("An ending without an exception")
struct EndingTests {
    private func report(_ termination: SandboxOutcome.Termination, errors: String = "") -> ErrorReport? {
        PythonDiagnosis().diagnose(standardOutput: "", standardError: errors, termination: termination)
    }

    @Test("by wall time is a Timeout, by another limit or a signal a kill")
    func limits() {
        #expect(report(.limit(.wallTime))?.errorClass == "Timeout")
        for limit in SandboxOutcome.Limit.allCases where limit != .wallTime {
            #expect(report(.limit(limit))?.errorClass == "Killed")
            #expect(report(.limit(limit))?.subcategory == .resources)
        }
        #expect(report(.signalled(SIGSEGV))?.message == "signal SIGSEGV (segmentation fault)")
    }

    @Test("that is good, or that the harness wanted, is no error")
    func none() {
        #expect(report(.exited(0)) == nil)
        #expect(report(.stopped) == nil)
    }

    @Test("that is bad and silent has the exit status for a message")
    func silent() {
        #expect(report(.exited(7))?.message == "exit status 7")
        #expect(report(.exited(7))?.errorClass == "SystemExit")
    }

    @Test("of hostile size is diagnosed in bounded time", .timeLimit(.minutes(10)))
    func huge() {
        let errors =
            String(repeating: "Traceback (most recent call last):\n", count: 60_000)
            + String(repeating: "x", count: 1 << 20)
            + "\nTraceback (most recent call last):\n  File \"/code/main.py\", line 1, in f\nValueError: x\n"
        #expect(report(.exited(1), errors: errors)?.errorClass == "ValueError")
    }
}
