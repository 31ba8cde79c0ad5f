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
    /// What the dataset says that all pictures are of, one subject or one slice, so that an interval says nothing about another; nil else.
    public let allOfOne: Kind?
    private let names: [String: String]

    /// The unit that a picture belongs to: its own name where pictures are taken one by one.
    public func unit(of sample: String) -> String { names[sample] ?? sample }

    /// Pictures that are all of one unit: nothing can be drawn with replacement, and an interval of them would be made up.
    public struct OneUnit: Error, Sendable, Hashable, CustomStringConvertible {
        public let kind: Kind
        public let pictures: Int

        public var description: String {
            "\(pictures) picture\(pictures == 1 ? " is" : "s are") all of one \(kind.rawValue): an interval needs at least two"
        }
    }

    /// Places in a list of pictures by the unit that they belong to, units in the order in which they first appear.
    ///
    /// - Throws: `OneUnit` for fewer than two units.
    public func groups(_ samples: [String]) throws(OneUnit) -> [[Int]] {
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
        guard groups.count > 1 else { throw OneUnit(kind: kind, pictures: samples.count) }
        return groups
    }

    /// Every picture by itself.
    public init(images samples: [String]) {
        self.init(images: samples, allOfOne: nil)
    }

    init(images samples: [String], allOfOne: Kind?) {
        (kind, count, names) = (.image, Set(samples).count, [:])
        self.allOfOne = allOfOne
    }

    init(_ kind: Kind, _ names: [String: String], allOfOne: Kind? = nil) {
        (self.kind, self.names) = (kind, names)
        count = Set(names.values).count
        self.allOfOne = allOfOne
    }

    /// For notes: `3 subjects`, `6 images of one subject`.
    public var text: String {
        "\(count) \(kind.rawValue)\(count == 1 ? "" : "s")" + (allOfOne.map { " of one \($0.rawValue)" } ?? "")
    }
}

extension Dataset {
    /// How pictures are resampled: by subject where the dataset names the subject of each and there are at least two; by slice where several
    /// acquisitions of a slice are simulated; else by image. Where all are of one subject, or of one slice, the units say so.
    public func resamplingUnits(of samples: [String]) -> ResamplingUnits {
        let subjects = named(samples) { description.subjects?[$0]?.name }
        if let subjects, Set(subjects.values).count > 1 { return ResamplingUnits(.subject, subjects) }
        func isOne(_ names: [String: String]?) -> Bool { names.map { Set($0.values).count == 1 } ?? false }
        let slices = named(samples) { sample in description.acquisitions[sample].map { "slice \($0.slice)" } }
        if let slices, Set(slices.values).count > 1, Set(slices.values).count < slices.count {
            return ResamplingUnits(.slice, slices, allOfOne: isOne(subjects) ? .subject : nil)
        }
        return ResamplingUnits(images: samples, allOfOne: isOne(subjects) ? .subject : isOne(slices) ? .slice : nil)
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
