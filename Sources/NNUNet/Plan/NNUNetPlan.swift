import Foundation

/// A plan for the 2d configuration: everything that preprocessing, training and inference of a data set are set to.
///
/// `json()` has the form of nnU-Net's own `nnUNetPlans.json`.
public struct NNUNetPlan: Sendable, Equatable {
    /// The name of the data set.
    public var datasetName: String
    /// Median spacing and size of the cropped cases, axes in the plan's order.
    public var originalMedianSpacing: [Double]
    /// The same for the size, in pixels.
    public var originalMedianShape: [Int]
    /// Which axis of an image becomes which axis of the plan; the coarsest comes first.
    public var transposeForward: [Int]
    /// The way back.
    public var transposeBackward: [Int]
    /// Statistics of the foreground, by channel.
    public var intensities: [ChannelIntensities]
    /// Samples of a training step.
    public var batchSize: Int
    /// Patch H W in pixels.
    public var patchSize: [Int]
    /// Median size H W after resampling; half pixels occur.
    public var medianImageSize: [Double]
    /// What images are resampled to, H W in millimetres.
    public var spacing: [Double]
    /// By channel.
    public var normalizations: [Normalization]
    /// Whether a channel is normalised within the nonzero region only.
    public var usesMaskForNormalization: [Bool]
    /// The network.
    public var architecture: Architecture
    /// Classes, the background included.
    public var classes: Int

    /// Channels of the images.
    public var channels: Int { normalizations.count }
}

extension NNUNetPlan {
    /// The plan in the form of nnU-Net's `nnUNetPlans.json`, keys sorted.
    ///
    /// - Parameter reader: which of its classes reads the images.
    public func json(reader: String = "NaturalImage2DIO") throws -> Data {
        try JSONSerialization.data(
            withJSONObject: plans(reader: reader), options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    }

    private func plans(reader: String) throws -> [String: Any] {
        let properties = try JSONSerialization.jsonObject(with: JSONEncoder().encode(intensities)) as? [Any] ?? []
        return [
            "dataset_name": datasetName, "plans_name": "nnUNetPlans", "image_reader_writer": reader,
            "original_median_spacing_after_transp": originalMedianSpacing,
            "original_median_shape_after_transp": originalMedianShape, "transpose_forward": transposeForward,
            "transpose_backward": transposeBackward, "experiment_planner_used": "ExperimentPlanner",
            "label_manager": "LabelManager", "configurations": ["2d": configuration],
            "foreground_intensity_properties_per_channel": Dictionary(
                uniqueKeysWithValues: properties.enumerated().map { (String($0.offset), $0.element) }),
        ]
    }

    private var configuration: [String: Any] {
        func resampling(_ isLabels: Bool, _ order: Int) -> [String: Any] {
            ["is_seg": isLabels, "order": order, "order_z": 0, "force_separate_z": NSNull()]
        }
        return [
            "data_identifier": "nnUNetPlans_2d", "preprocessor_name": "DefaultPreprocessor",
            "batch_size": batchSize, "patch_size": patchSize, "median_image_size_in_voxels": medianImageSize,
            "spacing": spacing, "normalization_schemes": normalizations.map(\.rawValue),
            "use_mask_for_norm": usesMaskForNormalization, "batch_dice": true,
            "resampling_fn_data": "resample_data_or_seg_to_shape",
            "resampling_fn_seg": "resample_data_or_seg_to_shape",
            "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
            "resampling_fn_data_kwargs": resampling(false, 3), "resampling_fn_seg_kwargs": resampling(true, 1),
            "resampling_fn_probabilities_kwargs": resampling(false, 1), "architecture": architecture.json,
        ]
    }
}

extension Architecture {
    fileprivate var json: [String: Any] {
        [
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
            "arch_kwargs": [
                "n_stages": stages, "features_per_stage": features, "kernel_sizes": kernels, "strides": strides,
                "n_conv_per_stage": encoderConvolutions, "n_conv_per_stage_decoder": decoderConvolutions,
                "conv_op": "torch.nn.modules.conv.Conv2d", "conv_bias": true,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm2d",
                "norm_op_kwargs": ["eps": 1e-5, "affine": true] as [String: Any], "dropout_op": NSNull(),
                "dropout_op_kwargs": NSNull(), "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": ["inplace": true],
            ] as [String: Any],
        ]
    }
}
