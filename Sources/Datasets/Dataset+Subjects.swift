import Foundation

/// What is drawn with replacement where an interval is resampled, so that pictures which are not independent stay together.
public struct ResamplingUnits: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// All pictures of a patient, head or volume.
        case subject
        /// All simulated acquisitions of one slice.
        case slice
        /// Every picture by itself.
        case image
    }

    public let kind: Kind
    /// How many there are.
    public let count: Int
    private let names: [String: String]

    /// The unit that a picture belongs to: its own name where pictures are taken one by one.
    public func unit(of sample: String) -> String { names[sample] ?? sample }

    /// Places in a list of pictures by the unit that they belong to, units in the order in which they first appear. Where all are of one unit,
    /// each by itself: nothing else is left to draw.
    public func groups(_ samples: [String]) -> [[Int]] {
        var places: [String: Int] = [:]
        var groups: [[Int]] = []
        for (index, sample) in samples.enumerated() {
            let unit = unit(of: sample)
            if let place = places[unit] {
                groups[place].append(index)
            } else {
                places[unit] = groups.count
                groups.append([index])
            }
        }
        return groups.count == 1 ? samples.indices.map { [$0] } : groups
    }

    /// Every picture by itself.
    public init(images samples: [String]) {
        (kind, count, names) = (.image, Set(samples).count, [:])
    }

    init(_ kind: Kind, _ names: [String: String]) {
        (self.kind, self.names) = (kind, names)
        count = Set(names.values).count
    }

    /// For notes: `3 subjects`.
    public var text: String { "\(count) \(kind.rawValue)\(count == 1 ? "" : "s")" }
}

extension Dataset {
    /// How pictures are resampled: by subject where the dataset names the subject of each and there are at least two; by slice where several
    /// acquisitions of a slice are simulated; else by image.
    public func resamplingUnits(of samples: [String]) -> ResamplingUnits {
        let subjects = named(samples) { description.subjects?[$0]?.name }
        if let subjects, Set(subjects.values).count > 1 { return ResamplingUnits(.subject, subjects) }
        let slices = named(samples) { sample in description.acquisitions[sample].map { "slice \($0.slice)" } }
        if let slices, Set(slices.values).count > 1, Set(slices.values).count < slices.count {
            return ResamplingUnits(.slice, slices)
        }
        return ResamplingUnits(images: samples)
    }

    private func named(_ samples: [String], _ name: (String) -> String?) -> [String: String]? {
        var names: [String: String] = [:]
        for sample in samples {
            guard let found = name(sample) else { return nil }
            names[sample] = found
        }
        return names
    }

    /// The samples of each subject with more than one, in the order of their slices (of the numbers in their names where no slice is
    /// named).
    public func volumes(of samples: [String]) -> [[String]] {
        let all = description.subjects ?? [:]
        let bySubject = Dictionary(grouping: samples.filter { all[$0] != nil }) { all[$0]?.name ?? "" }
        return bySubject.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { _, members in
            members.sorted { a, b in
                if let first = all[a]?.slice, let second = all[b]?.slice, first != second { return first < second }
                return a.compare(b, options: .numeric) == .orderedAscending
            }
        }
    }
}
