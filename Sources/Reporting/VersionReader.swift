import ResultStore
import Training

/// The versions of a study's programs, read again only where their rows or those of the run have changed.
struct VersionReader: Sendable {
    private var states: [RunState] = []
    /// By the path of the run that they refine.
    private var statesByBase: [String: [RunState]] = [:]
    private var known: [String: (states: [RunState], versions: [RefinedVersion])] = [:]

    /// Finds out which runs have versions.
    ///
    /// - Returns: whether a version is there, or has rows, that were not there before.
    /// - Throws: `StoreError`.
    mutating func look(for study: String, in store: ResultStore) throws -> Bool {
        let found = try store.runStates(study: RefinedVersion.study(of: study))
        guard found != states else { return false }
        states = found
        statesByBase = [:]
        for state in found {
            guard let base = try store.run(id: state.run)?.refines else { continue }
            statesByBase[base, default: []].append(state)
        }
        return true
    }

    /// - Parameter state: of the run itself.
    /// - Throws: `StoreError`.
    mutating func versions(of base: RunRecord, _ state: RunState, _ store: ResultStore) throws -> [RefinedVersion] {
        guard let later = statesByBase[base.path] else { return [] }
        let states = [state] + later
        if let known = known[base.path], known.states == states { return known.versions }
        let versions = try RefinedVersion.all(of: base, in: store)
        known[base.path] = (states, versions)
        return versions
    }
}
