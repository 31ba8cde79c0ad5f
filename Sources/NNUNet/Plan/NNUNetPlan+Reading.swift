import Foundation

extension NNUNetPlan {
    /// Reads the 2d configuration of an `nnUNetPlans.json` for a plain U-Net, ours or nnU-Net's.
    ///
    /// - Parameters:
    ///   - json: the file's bytes.
    ///   - classes: classes with the background, which the file does not have.
    ///
    /// Throws `NNUNetError.invalidPlan` when a field is missing or out of range.
    public init(json: Data, classes: Int) throws {
        let file: PlansFile
        do {
            file = try JSONDecoder().decode(PlansFile.self, from: json)
        } catch {
            throw NNUNetError.invalidPlan(
                "the plan cannot be read: it is no nnUNetPlans.json with a 2d configuration of a PlainConvUNet")
        }
        let configuration = file.configurations.plane
        let network = configuration.architecture.archKwargs
        datasetName = file.datasetName
        (originalMedianSpacing, originalMedianShape) = (
            file.originalMedianSpacingAfterTransp, file.originalMedianShapeAfterTransp
        )
        (transposeForward, transposeBackward) = (file.transposeForward, file.transposeBackward)
        let properties = file.foregroundIntensityPropertiesPerChannel
        intensities = (0..<properties.count).compactMap { properties[String($0)] }
        (batchSize, patchSize) = (configuration.batchSize, configuration.patchSize)
        (medianImageSize, spacing) = (configuration.medianImageSizeInVoxels, configuration.spacing)
        normalizations = configuration.normalizationSchemes
        usesMaskForNormalization = configuration.useMaskForNorm
        architecture = try Architecture(
            features: network.featuresPerStage, kernels: network.kernelSizes, strides: network.strides,
            encoderConvolutions: network.nConvPerStage, decoderConvolutions: network.nConvPerStageDecoder)
        self.classes = classes
        try validate()
    }

    /// Throws `NNUNetError.invalidPlan` when the fields do not go together.
    func validate() throws {
        let divisors = (0..<2).map { axis in architecture.strides.reduce(1) { $0 * $1[axis] } }
        guard patchSize.count == 2, zip(patchSize, divisors).allSatisfy({ $0 > 0 && $0 <= 1 << 16 && $0 % $1 == 0 })
        else {
            throw NNUNetError.invalidPlan(
                "a patch of \(patchSize) pixels cannot be halved as the plan says: it must be a multiple of \(divisors)"
            )
        }
        let axes = [0, 1, 2]
        guard (1...65_536).contains(batchSize), (2...1024).contains(classes), channels > 0,
            usesMaskForNormalization.count == channels, intensities.count == channels, medianImageSize.count == 2,
            spacing.count == 2, spacing.allSatisfy({ $0 > 0 }), transposeForward.sorted() == axes,
            transposeBackward.sorted() == axes
        else {
            throw NNUNetError.invalidPlan("the plan contradicts itself in its batch size, classes, channels or axes")
        }
    }
}

/// The fields of `nnUNetPlans.json` by their own names.
private struct PlansFile: Decodable {
    struct Configurations: Decodable {
        var plane: Configuration

        enum CodingKeys: String, CodingKey {
            case plane = "2d"
        }
    }

    struct Configuration: Decodable {
        var batchSize: Int
        var patchSize: [Int]
        var medianImageSizeInVoxels: [Double]
        var spacing: [Double]
        var normalizationSchemes: [Normalization]
        var useMaskForNorm: [Bool]
        var architecture: Network

        enum CodingKeys: String, CodingKey {
            case spacing, architecture
            case batchSize = "batch_size"
            case patchSize = "patch_size"
            case medianImageSizeInVoxels = "median_image_size_in_voxels"
            case normalizationSchemes = "normalization_schemes"
            case useMaskForNorm = "use_mask_for_norm"
        }
    }

    struct Network: Decodable {
        var archKwargs: Arguments

        enum CodingKeys: String, CodingKey {
            case archKwargs = "arch_kwargs"
        }
    }

    struct Arguments: Decodable {
        var featuresPerStage: [Int]
        var kernelSizes: [[Int]]
        var strides: [[Int]]
        var nConvPerStage: [Int]
        var nConvPerStageDecoder: [Int]

        enum CodingKeys: String, CodingKey {
            case strides
            case featuresPerStage = "features_per_stage"
            case kernelSizes = "kernel_sizes"
            case nConvPerStage = "n_conv_per_stage"
            case nConvPerStageDecoder = "n_conv_per_stage_decoder"
        }
    }

    var datasetName: String
    var originalMedianSpacingAfterTransp: [Double]
    var originalMedianShapeAfterTransp: [Int]
    var transposeForward: [Int]
    var transposeBackward: [Int]
    var configurations: Configurations
    var foregroundIntensityPropertiesPerChannel: [String: ChannelIntensities]

    enum CodingKeys: String, CodingKey {
        case configurations
        case datasetName = "dataset_name"
        case originalMedianSpacingAfterTransp = "original_median_spacing_after_transp"
        case originalMedianShapeAfterTransp = "original_median_shape_after_transp"
        case transposeForward = "transpose_forward"
        case transposeBackward = "transpose_backward"
        case foregroundIntensityPropertiesPerChannel = "foreground_intensity_properties_per_channel"
    }
}
