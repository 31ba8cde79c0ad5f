import Datasets
import Foundation
import ResultStore
import Training

/// One run's part of a report: its page, the curves on it, and the pictures of its held-out images, each made when it is asked for.
///
/// Of a study that is read again and again, the files of a run that has not changed are taken over as they are.
struct RunFiles: Sendable {
    /// Everything that the files depend on.
    struct Origin: Sendable, Hashable {
        var state: RunState
        var versions: [RefinedVersion]
        /// Unique among the runs of the study.
        var title: String
        /// Of the page, without `.html`; below `runs/`.
        var name: String
        var reference: DatasetReferenceRecord?
        /// Of the dataset beside the run; nil where it was not looked at.
        var dataset: DatasetStamp?
        /// Pictures at most.
        var pictures: Int
        var figureWarning: String?
        var isLive: Bool
    }

    let origin: Origin
    private let curves: Lazily<[DrawnFigure]>
    private let gallery: Lazily<Result<HeldOutGallery, HeldOutGallery.Absence>>
    private let body: Lazily<Markup>

    /// - Parameter dataset: nil where the run was not evaluated.
    init(
        _ origin: Origin, run: StudyEvidence.Run, trainings: @escaping @Sendable () -> ReportTable,
        directory: RunDirectory,
        dataset: Result<DatasetOnDisk, HeldOutGallery.Absence>?
    ) {
        self.origin = origin
        let curves = Lazily { try RunCurves(run).figures.map(DrawnFigure.init) }
        let gallery = Lazily<Result<HeldOutGallery, HeldOutGallery.Absence>> {
            guard let dataset else { return .failure(.notEvaluated) }
            do throws(HeldOutGallery.Absence) {
                return .success(
                    try HeldOutGallery(run: run, directory: directory, dataset: dataset, count: origin.pictures))
            } catch {
                return .failure(error)
            }
        }
        body = Lazily {
            RunPage(
                run: run, title: origin.title, directory: directory, trainings: trainings(), curves: try curves.value(),
                curvesPath: { "\(origin.name)/\($0.figure.name)" }, gallery: try gallery.value(),
                predictionPath: { "\(origin.name)/\($0.position)-prediction.png" },
                figureWarning: origin.figureWarning, isLive: origin.isLive
            ).markup
        }
        self.curves = curves
        self.gallery = gallery
    }

    /// What stands on the run's page.
    func page() throws -> Markup { try body.value() }

    /// Curves and predictions, from the report's folder.
    func paths() throws -> [String] {
        try curves.value().map { "runs/\(origin.name)/\($0.figure.name).svg" }
            + cases().map { "runs/\(origin.name)/\($0.position)-prediction.png" }
    }

    /// The images and truths that its pictures are laid over, which runs on the same dataset share.
    func samples() throws -> [HeldOutSample] {
        guard case .success(let gallery) = try gallery.value() else { return [] }
        return gallery.cases.map(gallery.sample)
    }

    /// A curve or a prediction by its file's name; nil where the run has none of that name.
    func contents(of file: Substring) throws -> Data? {
        if file.hasSuffix(".svg") {
            return try curves.value().first { "\($0.figure.name).svg" == file }?.data(.svg)
        }
        guard case .success(let gallery) = try gallery.value(),
            let item = gallery.cases.first(where: { "\($0.position)-prediction.png" == file })
        else { return nil }
        return try gallery.prediction(item)
    }

    private func cases() throws -> [HeldOutGallery.Case] {
        if case .success(let gallery) = try gallery.value() { gallery.cases } else { [] }
    }
}
