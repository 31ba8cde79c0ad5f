import ArgumentParser
import Foundation
import Statistics

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Compare two groups of results by a rank test.",
        discussion: """
            Every p comes with the sizes, medians and quartiles, the effect with its interval, and the correction for the number of \
            tests.

              llmbench stats compare dice.csv --by reasoning
              llmbench stats compare --published table3
            """,
        subcommands: [Compare.self])

    struct Compare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The Mann-Whitney test on any table, a row a model, a test a dataset.",
            discussion: """
                One row is one unit of analysis: a model's mean Dice, never one image or one batch. U belongs to the first of the two \
                groups in alphabetical order (--first names the other); --alternative greater asks whether it tends to greater values.

                  llmbench stats compare dice.csv --by cohort --value mean_test_dice --dataset dataset --first 2025
                  llmbench stats compare dice.csv --by reasoning --alternative greater --correction holm --json
                  llmbench stats compare --published table3
                """)

        @Argument(help: "A table of comma-separated values, its columns named in the first line.", completion: .file())
        var file: String?

        @Option(help: "The column that parts the rows into two groups.")
        var by: String?

        @Option(help: "The column of numbers; the only column of numbers beside the others when not given.")
        var value: String?

        @Option(
            help:
                "The column that names datasets, one test each; 'dataset' where there is one, one test for all otherwise."
        )
        var dataset: String?

        @Option(help: "The group that U, the effect and the alternative belong to.")
        var first: String?

        @Option(help: "Whether the first group differs (two-sided), is smaller (less) or greater (greater).")
        var alternative: Side?

        @Option(
            help:
                "auto (exact where a group has 8 values or fewer and there are no ties), exact, asymptotic or permutation."
        )
        var method = Method.auto

        @Option(help: "For the number of datasets: none, bonferroni, holm or benjamini-hochberg.")
        var correction = Correction.holm

        @Option(help: "Confidence of the intervals.")
        var level = 0.95

        @Option(help: "Seed of --method permutation where relabellings are too many to count.")
        var seed: UInt64 = 1

        @Option(help: "Set our numbers beside published ones: table3.")
        var published: Published?

        @OptionGroup var output: JSONOption

        func validate() throws {
            guard level > 0, level < 1 else {
                throw ValidationError(
                    "the level \(level) is no confidence: give a number between 0 and 1, such as 0.95")
            }
            if published != nil {
                guard file == nil, by == nil, value == nil, dataset == nil, first == nil, alternative == nil else {
                    throw ValidationError(
                        "--published compares as its source did: leave out the file, --by, --value, --dataset, --first and "
                            + "--alternative")
                }
                return
            }
            guard file != nil else {
                throw ValidationError("name a table to compare (FILE.csv --by COLUMN), or --published table3")
            }
            guard by != nil else {
                throw ValidationError("name the column that parts the rows into two groups: --by COLUMN")
            }
        }

        func run() async throws {
            if published != nil {
                try PublishedTable3(method: method.test(seed: seed), correction: correction.method, level: level)
                    .print(json: output.json)
                return
            }
            let samples = try TwoGroups.read(
                file ?? "", by: by ?? "", value: value, dataset: dataset, first: first)
            let rows = try ComparisonRow.compare(
                samples, alternative: (alternative ?? .twoSided).alternative, method: method.test(seed: seed),
                correction: correction.method, level: level)
            if output.json { return try JSONOption.print(rows) }
            print(ComparisonRow.text(rows))
        }
    }
}

extension StatsCommand {
    enum Side: String, ExpressibleByArgument, CaseIterable {
        case twoSided = "two-sided"
        case less
        case greater

        var alternative: Alternative {
            switch self {
            case .twoSided: .twoSided
            case .less: .less
            case .greater: .greater
            }
        }
    }

    enum Method: String, ExpressibleByArgument, CaseIterable {
        case auto, exact, asymptotic, permutation

        func test(seed: UInt64) -> RankTestMethod {
            switch self {
            case .auto: .automatic
            case .exact: .exact
            case .asymptotic: .asymptotic
            case .permutation: .permutation(Resampling(resamples: 100_000, seed: seed))
            }
        }
    }

    enum Correction: String, ExpressibleByArgument, CaseIterable {
        case none, bonferroni, holm
        case benjaminiHochberg = "benjamini-hochberg"

        var method: MultipleTesting {
            switch self {
            case .none: .none
            case .bonferroni: .bonferroni
            case .holm: .holm
            case .benjaminiHochberg: .benjaminiHochberg
            }
        }
    }

    enum Published: String, ExpressibleByArgument, CaseIterable {
        case table3
    }
}
