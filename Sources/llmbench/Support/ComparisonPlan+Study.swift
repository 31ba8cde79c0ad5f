import Foundation
import Reporting
import ResultStore
import Statistics
import Studies

extension ComparisonPlan {
    /// What a study's file set out to compare: the section `statistics` of `results/STUDY/study.yaml`, which `study run` keeps. A
    /// study without a file has no plan, and neither has one whose file can no longer be read, which is said.
    init(of study: String, in workspace: Workspace) {
        self.init()
        let kept = workspace.results(study: study).appending(path: "study.yaml")
        guard FileManager.default.fileExists(atPath: kept.path(percentEncoded: false)) else { return }
        do {
            let text = String(decoding: try Data(contentsOf: kept), as: UTF8.self)
            self.init(try StudyFile(yaml: text, file: "study.yaml").statistics)
        } catch {
            Terminal.note(
                "\(kept.path(percentEncoded: false)) cannot be read (\(error)): every comparison is reported as exploratory. "
                    + "`llmbench study run FILE.yaml` writes it again.")
        }
    }

    init(_ statistics: StudyFile.Statistics) {
        self.init(
            questions: statistics.compare.map { comparison in
                switch comparison {
                case .cohort: .year
                case .reasoning: .reasoning
                case .vendor: .vendor
                case .open: .weights
                case .target: .target
                case .prompt: .prompt
                case .model: .model
                }
            }, seed: UInt64(statistics.seed))
        switch statistics.alternative {
        case .twoSided: alternative = .twoSided
        case .less: alternative = .less
        case .greater: alternative = .greater
        }
        switch statistics.correction {
        case .none: correction = .none
        case .holm: correction = .holm
        case .bonferroni: correction = .bonferroni
        case .benjaminiHochberg: correction = .benjaminiHochberg
        }
    }
}
