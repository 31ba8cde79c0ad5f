/// The tables of the pages, each made when it is looked at. Navigation names them all.
struct PageTables: Sendable {
    struct Heading: Sendable, Hashable {
        var name: String
        var title: String
    }

    let headings: [Heading]
    private let subjects: [String: Lazily<[ReportTable]>]

    init(_ evidence: StudyEvidence) {
        // Without runs the same tables come out empty, at once.
        var outline = evidence
        outline.runs = []
        var headings: [Heading] = []
        var subjects: [String: Lazily<[ReportTable]>] = [:]
        for subject in ReportSubject.order {
            let made = Lazily { evidence.tables(about: subject, forPage: true) }
            for table in outline.tables(about: subject, forPage: true) {
                headings.append(Heading(name: table.name, title: table.title))
                subjects[table.name] = made
            }
        }
        (self.headings, self.subjects) = (headings, subjects)
    }

    /// Nil where there is none of that name.
    func table(_ name: String) throws -> ReportTable? {
        try subjects[name]?.value().first { $0.name == name }
    }
}
