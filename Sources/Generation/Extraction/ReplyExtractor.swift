import Foundation

/// From the text of a reply to the files of a pipeline.
///
/// ```swift
/// let extractor = ReplyExtractor(expected: ["dataset.py", "model.py", "train.py", "main.py"])
/// let extraction = extractor.extract(reply: reply.content, isTruncated: false, current: [:])
/// ```
///
/// A block counts as the whole of its file unless the file is known already and the block lacks what the rest of the program
/// still uses; such a fragment is merged where that can be done in one way only, and asked for in whole otherwise.
/// Blocks whose file cannot be told, shell commands, quoted errors and other languages are left aside.
public struct ReplyExtractor: Sendable {
    public let expected: [String]
    private let language: SourceLanguage

    public init(expected: [String] = ["dataset.py", "model.py", "train.py", "main.py"]) {
        self.expected = expected
        language = SourceLanguage(of: expected)
    }

    /// The most that a file may hold; what is longer is no program.
    static let largestFile = 1 << 20

    /// - Parameters:
    ///   - isTruncated: the endpoint's output limit cut the reply; then nothing of it is used.
    ///   - current: the files so far, by name.
    public func extract(reply: String, isTruncated: Bool, current: [String: String]) -> Extraction {
        guard !isTruncated else { return Extraction(files: current, changed: [], verdict: .truncated) }
        var work = Work(current: current, expected: expected)
        let naming = FileNaming(expected: expected)
        for block in CodeBlockParser.blocks(in: reply).flatMap({ Self.split($0) }) {
            guard isCode(block) else { continue }
            let name = naming.name(of: block)
            switch language {
            case .python: work.take(block, name: name)
            case .swift: work.takeSwift(block, name: name)
            }
        }
        return work.result()
    }

    /// One block that holds several files, told apart by comments that are nothing but a name.
    private static func split(_ block: CodeBlock) -> [CodeBlock] {
        var starts: [Int] = []
        var scanner = PythonLineScanner()
        for (number, line) in block.lines.enumerated() {
            if !scanner.isInside, FileNaming.isFileMarker(line) != nil { starts.append(number) }
            scanner.consume(line)
        }
        let first = block.lines.firstIndex { !$0.trimmingSpaces().isEmpty }
        guard starts.count > 1, starts.first == first else { return [block] }
        let names = starts.map { FileNaming.isFileMarker(block.lines[$0]) }
        guard Set(names).count == starts.count else { return [block] }
        return zip(starts, starts.dropFirst() + [block.lines.count]).map { start, end in
            var part = block
            part.info = block.language
            part.lines = Array(block.lines[start..<end])
            part.isClosed = block.isClosed || end < block.lines.count
            return part
        }
    }

    /// Whether a block holds code in the language of the pipeline.
    private func isCode(_ block: CodeBlock) -> Bool {
        guard block.lines.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.largestFile else { return false }
        guard block.lines.contains(where: { !$0.trimmingSpaces().isEmpty }) else { return false }
        if language.fences.contains(block.language) {
            return !block.lines.contains { $0.hasPrefix(">>> ") }
        }
        // `model.py` itself may stand where the language belongs.
        if FileNaming.names(in: block.info).contains(where: { $0.hasSuffix(language.suffix) }) { return true }
        guard block.language.isEmpty || ["code", "text", "txt", "plaintext"].contains(block.language) else {
            return false
        }
        if block.lines.contains(where: language.isQuotedOutput) { return false }
        if let file = FileNaming.fileComment(block.lines) { return file.hasSuffix(language.suffix) }
        return block.lines.contains { line in language.openings.contains { line.hasPrefix($0) } }
    }
}

/// What a reply gave.
public struct Extraction: Sendable, Hashable {
    public enum Verdict: Sendable, Hashable {
        /// All expected files are there.
        case complete
        /// A fragment that fits no file without doubt; `files` are to be sent whole.
        case unclear(reason: String, files: [String])
        /// The reply gave no file, or some are still missing.
        case missing([String])
        case truncated
    }

    /// All files after this reply, by name: those that it changed and those carried over.
    public var files: [String: String]
    /// Names of the files that the reply gave, whole or merged.
    public var changed: Set<String>
    public var verdict: Verdict
}

extension ReplyExtractor {
    /// The files while the blocks of one reply are gone through.
    private struct Work {
        let before: [String: String]
        let expected: [String]
        var files: [String: String]
        /// Files that this reply gave whole.
        var whole: Set<String> = []
        var merged: Set<String> = []
        /// Named fragments that could not be merged, by file.
        var unclear: [String: String] = [:]
        /// Why unnamed code could not be placed.
        var unplaced: [String] = []

        init(current: [String: String], expected: [String]) {
            before = current
            files = current
            self.expected = expected
        }

        mutating func take(_ block: CodeBlock, name: FileNaming.Name?) {
            let outline = PythonOutline(block.code)
            guard let name = name ?? place(outline).map({ FileNaming.Name(file: $0, source: .prose) }) else {
                unplaced.append(Self.describe(outline))
                return
            }
            // A file nobody asked for needs a clear name.
            guard expected.contains(name.file) || files[name.file] != nil || name.source >= .heading else { return }
            guard let known = files[name.file] else {
                files[name.file] = block.code
                whole.insert(name.file)
                return
            }
            let current = PythonOutline(known)
            if isWhole(outline, insteadOf: current, name: name.file) {
                files[name.file] = block.code
                whole.insert(name.file)
                merged.remove(name.file)
            } else if !whole.contains(name.file) {
                merge(outline, into: current, name: name.file)
            }
        }

        /// Swift is not merged: a block is a whole file, or the whole file is asked for.
        mutating func takeSwift(_ block: CodeBlock, name: FileNaming.Name?) {
            let outline = SwiftOutline(block.code)
            guard let name else {
                unplaced.append(String((outline.lines.first { !$0.trimmingSpaces().isEmpty } ?? "").prefix(80)))
                return
            }
            guard name.file.hasSuffix(".swift"),
                expected.contains(name.file) || files[name.file] != nil || name.source >= .heading
            else { return }
            if outline.isElided {
                if !whole.contains(name.file) { unclear[name.file] = "the code for \(name.file) leaves parts out" }
            } else if let lost = lost(by: outline, name: name.file) {
                if !whole.contains(name.file) {
                    unclear[name.file] = "\(name.file) no longer holds \(lost), which the program uses"
                }
            } else {
                files[name.file] = block.code
                whole.insert(name.file)
            }
        }

        /// A declaration that the file held, lacks now, and that the rest of the program still uses.
        private func lost(by block: SwiftOutline, name: String) -> String? {
            guard let known = files[name].map(SwiftOutline.init) else { return nil }
            if known.hasStatements, !block.hasStatements, known.declarations.isEmpty { return "its statements" }
            let declared = Set(block.declarations)
            var used = block.identifiers
            for (other, text) in files where other != name {
                let outline = SwiftOutline(text)
                used.formUnion(outline.identifiers.subtracting(outline.declarations))
            }
            return known.declarations.first { !declared.contains($0) && used.contains($0) }
        }

        private mutating func merge(_ fragment: PythonOutline, into current: PythonOutline, name: String) {
            do {
                files[name] = try PythonMerge(current: current, fragment: fragment).merged()
                merged.insert(name)
            } catch {
                unclear[name] =
                    switch error {
                    case .elided: "the code for \(name) leaves parts out"
                    case .looseCode: "a part of \(name) holds lines whose place in the file is not given"
                    case .unknownDefinitions(let names):
                        "\(name) has had no definition of \(names.joined(separator: ", ")) so far"
                    }
            }
        }

        /// A block is a whole file unless it leaves out, or lacks something that the program still needs.
        private func isWhole(_ block: PythonOutline, insteadOf current: PythonOutline, name: String) -> Bool {
            if PythonMerge.isElided(block) || block.startsIndented { return false }
            if block.hasStatements == false, block.definitions.isEmpty, !block.hasMainGuard {
                // Imports alone are a whole file only where the file was no more than that.
                return current.definitions.isEmpty && !current.hasMainGuard && !current.hasStatements
            }
            if current.hasMainGuard, !block.hasMainGuard { return false }
            if !current.imports.isEmpty, block.imports.isEmpty { return false }
            let missing = Set(current.definitions).subtracting(block.definitions)
            guard !missing.isEmpty else { return true }
            var used = block.identifiers
            // A block that relies on imports it does not have was cut out of its file.
            let lacking = current.importedNames.subtracting(block.importedNames)
            if !used.isDisjoint(with: lacking) { return false }
            for (other, text) in files where other != name { used.formUnion(PythonOutline(text).identifiers) }
            return missing.isDisjoint(with: used)
        }

        /// The one file that already has every definition of an unnamed block.
        private func place(_ outline: PythonOutline) -> String? {
            let names = Set(outline.definitions)
            guard !names.isEmpty, !outline.hasStatements, !outline.startsIndented else { return nil }
            let fitting = before.filter { names.isSubset(of: PythonOutline($0.value).definitions) }
            return fitting.count == 1 ? fitting.first?.key : nil
        }

        private static func describe(_ outline: PythonOutline) -> String {
            let first = outline.lines.first { line in
                let text = line.trimmingSpaces()
                return !text.isEmpty && text.first != "#"
            }
            return String((first ?? outline.lines.first ?? "").trimmingSpaces().prefix(80))
        }

        func result() -> Extraction {
            let changed = whole.union(merged)
            func extraction(_ verdict: Extraction.Verdict) -> Extraction {
                Extraction(files: files, changed: changed, verdict: verdict)
            }
            let open = unclear.keys.filter { !whole.contains($0) }.sorted()
            if !open.isEmpty {
                let reasons = open.compactMap { unclear[$0] }.joined(separator: "; ")
                return extraction(.unclear(reason: reasons, files: open))
            }
            let missing = expected.filter { files[$0] == nil }
            if !missing.isEmpty { return extraction(.missing(missing)) }
            if changed.isEmpty, let snippet = unplaced.first {
                let reason = "no file is named for the block that begins with `\(snippet)`"
                return extraction(.unclear(reason: reason, files: ["the files that it changes"]))
            }
            if changed.isEmpty { return extraction(.missing(expected)) }
            return extraction(.complete)
        }
    }
}
