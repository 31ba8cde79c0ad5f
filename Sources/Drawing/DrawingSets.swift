import Datasets
import ResultStore

extension DrawingSetRecord {
    /// Whether the conversations of this set go on after a drawing.
    public var isLoop: Bool { skill?.split(separator: "+").last.map { $0 == DrawingSettings.loop } ?? false }

    /// Whether a draw of this set has several drawings, of a conversation or of several looks: the first is of the picture as it is
    /// without them, the last is what they give.
    public var goesOn: Bool { isLoop || (look?.looks ?? 1) > 1 }

    /// Where the model looked; nil for pictures as a whole.
    var look: DrawingSkill.Look? {
        skill?.split(separator: "+").compactMap { DrawingSkill.Look(rawValue: String($0)) }.first
    }
}

extension DrawingSetRecord {
    /// Training pictures of a dataset whose labels this set's window was learnt from; empty for all but a static box.
    public func boxLabels(in dataset: Dataset) -> [String] {
        look == .staticBox ? DrawingSkill.boxLabels(in: dataset) : []
    }

    /// How many labels its drawings were made with; 0 for none. What controls know of the training part is not counted.
    public func labels(in dataset: Dataset) -> Int { boxLabels(in: dataset).count }

    /// Whether held-out pictures were asked for and not all of them came to their end: it is under way, or was broken off.
    ///
    /// - Parameter rows: the drawings of this set.
    public func isUnfinished(_ rows: [DrawingRecord]) -> Bool {
        endedAt == nil && rows.contains { $0.part == .heldOut }
    }
}

extension ResultStore {
    /// The set of drawings that a name means: its path from the study on, or any unique part of it.
    ///
    /// - Throws: `DrawingError.unknownSet`, `.ambiguousSet`.
    public func drawingSet(named name: String, study: String) throws -> DrawingSetRecord {
        let all = try drawingSets()
        if let exact = all.first(where: { $0.path == name || $0.path == "\(study)/\(name)" }) { return exact }
        let parts = name.split(separator: "/")
        let fitting = all.filter { set in
            let path = set.path.split(separator: "/")
            return !parts.isEmpty && path.count >= parts.count
                && (0...(path.count - parts.count)).contains { Array(path[$0..<($0 + parts.count)]) == Array(parts) }
        }
        guard let first = fitting.first else { throw DrawingError.unknownSet(name: name, study: study) }
        guard fitting.count == 1 else {
            throw DrawingError.ambiguousSet(name: name, candidates: fitting.map(\.path))
        }
        return first
    }
}
