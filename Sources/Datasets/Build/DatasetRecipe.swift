/// How one embedded dataset is made of published volumes.
public struct DatasetRecipe: Sendable {
    /// The two datasets that the repository carries.
    public static let all = [colin27Cerebellum, mni152WhiteMatter]

    /// A volume that the recipe reads, by names relative to the source folder; the first that exists is taken.
    struct Source {
        var names: [String]
        var advice: String
    }

    enum Target {
        /// Voxels whose label lies in a range.
        case labels(ClosedRange<Int>)
        /// Voxels whose value exceeds a fraction of the largest possible one.
        case probability(above: Float, ofMaximum: Float)
    }

    public let name: String
    let title: String
    let prefix: String
    let imageKind: String
    let foreground: String
    let image: Source
    let labels: Source
    let target: Target
    /// The grey value that becomes signal 1.
    let white: Float
    /// Axial slices by index, counted from the lowest.
    let slices: [Int]
    /// Slices of the volume that are held out, with the gap below and above that belongs to neither side.
    let heldOut: ClosedRange<Int>
    let gap = 5
    let acquisitions = 4
    /// Added to slice and acquisition to give each image its seed.
    let seed: UInt64
    let provenance: DatasetDescription.Provenance
    /// The text of NOTICE.md.
    let notice: String

    static func named(_ name: String) -> DatasetRecipe? { all.first { $0.name == name } }

    /// Which side a slice belongs to; `nil` in the gap.
    func isHeldOut(_ slice: Int) -> Bool? {
        if heldOut.contains(slice) { return true }
        return (heldOut.lowerBound - gap...heldOut.upperBound + gap).contains(slice) ? nil : false
    }

    func id(slice: Int, acquisition: Int) -> String {
        let digits = String(slice)
        return "\(prefix)-z\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits)-a\(acquisition)"
    }

    func imageSeed(slice: Int, acquisition: Int) -> UInt64 { seed + UInt64(slice) * 10 + UInt64(acquisition) }
}

extension DatasetRecipe {
    private static let simulated = """
        The acquisition is simulated: each slice appears four times with its own rotation, scale, shift, contrast, bias field, \
        gain and noise; the parameters of each image are listed under 'acquisitions'.
        """

    private static let split = """
        Split by height: a block of neighbouring slices is held out, the five slices next to it on each side belong to neither part, \
        and all acquisitions of a slice are on one side.
        """

    /// Axial slices of the single-subject Colin27 head with the cerebellum of the AAL labels.
    public static let colin27Cerebellum = DatasetRecipe(
        name: "colin27-cerebellum", title: "Colin27 cerebellum, simulated acquisitions", prefix: "c27",
        imageKind: "axial slices of a T1-weighted MRI of the head", foreground: "the cerebellum",
        image: Source(names: ["ch2.nii.gz"], advice: mricronAdvice),
        labels: Source(names: ["aal.nii.gz"], advice: mricronAdvice),
        target: .labels(91...116), white: 200, slices: Array(6...75), heldOut: 34...39, seed: 27_000_000,
        provenance: .init(
            sources: [
                "ch2.nii.gz and aal.nii.gz of Debian's package mricron-data 1.2.20211006+dfsg-4",
                "Holmes et al. (1998), Enhancement of MR images using registration for signal averaging, "
                    + "J Comput Assist Tomogr 22:324-333",
                "Tzourio-Mazoyer et al. (2002), Automated anatomical labeling of activations in SPM, "
                    + "NeuroImage 15:273-289",
            ],
            licence: "BSD-3-Clause, Copyright 2006-2010 Chris Rorden; see NOTICE.md",
            notes: [
                "All images show one head, a mean of 27 scans of one man: results say nothing about other people.",
                simulated, split,
                "The labels were drawn on this very head; the outline of the cerebellum follows its fissures coarsely.",
            ]),
        notice: Notices.colin27)

    /// Axial slices of the ICBM 2009a template with white matter where its probability exceeds one half.
    public static let mni152WhiteMatter = DatasetRecipe(
        name: "mni152-white-matter", title: "MNI152 white matter, simulated acquisitions", prefix: "mni",
        imageKind: "axial slices of a T1-weighted MRI of the brain without its skull",
        foreground: "the white matter",
        image: Source(names: nilearnNames("t1"), advice: nilearnAdvice),
        labels: Source(names: nilearnNames("wm"), advice: nilearnAdvice),
        target: .probability(above: 0.5, ofMaximum: 255), white: 270,
        slices: Array(stride(from: 24, through: 150, by: 2)),
        heldOut: 88...98, seed: 152_000_000,
        provenance: .init(
            sources: [
                "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz and mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz of the "
                    + "Python package nilearn 0.14.1",
                "Fonov et al. (2011), Unbiased average age-appropriate atlases for pediatric studies, "
                    + "NeuroImage 54:313-327",
            ],
            licence: "ICBM 152 licence, Copyright (C) 1993-2009 Louis Collins, McGill University; see NOTICE.md",
            notes: [
                "All images show one template, an average of 152 brains: it is smoother than any real brain.",
                "The template is mirror-symmetric, so that left and right of an image tell the same.",
                simulated, split,
                "White matter is where the template's probability map exceeds 0.5; every second slice is used.",
            ]),
        notice: Notices.mni152)

    private static let mricronAdvice =
        "install Debian's package mricron-data and give --source /usr/share/mricron/templates"
    private static let nilearnAdvice =
        "unpack the wheel of the Python package nilearn (pip download --no-deps nilearn; unzip nilearn-*.whl -d DIR) and give "
        + "--source DIR"

    private static func nilearnNames(_ kind: String) -> [String] {
        let file = "mni_icbm152_\(kind)_tal_nlin_sym_09a_converted.nii.gz"
        return [file, "nilearn/datasets/data/\(file)"]
    }
}
