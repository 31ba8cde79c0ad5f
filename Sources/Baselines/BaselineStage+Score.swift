import Datasets
import Foundation
import Metrics
import ResultStore

extension BaselineStage {
    /// Dice of every held-out image against the original mask, by the same code as for generated pipelines.
    func score(_ record: inout BaselineRecord, _ data: NNUNetData, _ folder: URL) throws {
        var rows: [BaselineHeldOutRecord] = []
        for (index, id) in data.heldOut.enumerated() {
            let file = folder.appending(path: Workspace.baselinePrediction(index))
            let path = file.path(percentEncoded: false)
            let predicted: Image
            do {
                predicted = try PNG.read(file)
            } catch {
                throw BaselineError.file(path: path, reason: "\(error)")
            }
            let truth = try data.dataset.truth(id)
            guard predicted.width == truth.width, predicted.height == truth.height, predicted.channels == 1 else {
                throw BaselineError.file(
                    path: path,
                    reason: "the prediction has \(predicted.width)×\(predicted.height) pixels, the image "
                        + "\(truth.width)×\(truth.height)")
            }
            let dice = try ConfusionCounts(predicted: predicted.bytes, truth: truth.bytes).dice
            rows.append(BaselineHeldOutRecord(baselineId: record.id ?? -1, sample: id, dice: dice))
        }
        record.status = .evaluated
        record.endedAt = Date()
        try store.storeBaselineHeldOut(rows, of: record)
    }
}
