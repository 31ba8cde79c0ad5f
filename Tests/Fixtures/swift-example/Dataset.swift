import PipelineKit

/// All pairs of a folder in memory, grey and of one size.
func loadSamples(_ folder: String) throws -> Samples {
    try ImagePairs(folder: folder).load(height: 64, width: 64, channels: 1)
}
