/// The columns of the matrix from voxel indices to millimetres: where one step along each axis of the file leads.
struct Affine {
    /// Three columns of three.
    let columns: [[Double]]

    /// The sform where the file has one, else the qform, else the axes with their spacing ("method 1" of the format).
    init(_ reader: ByteReader, pixdim: [Double]) {
        if reader.int16(254) > 0 {
            columns = (0..<3).map { column in
                (0..<3).map { row in Double(reader.float(280 + 16 * row + 4 * column)) }
            }
        } else if reader.int16(252) > 0 {
            let b = Double(reader.float(256))
            let c = Double(reader.float(260))
            let d = Double(reader.float(264))
            columns = Self.quaternion(b, c, d, pixdim: pixdim)
        } else {
            columns = (0..<3).map { column in (0..<3).map { $0 == column ? abs(pixdim[column + 1]) : 0 } }
        }
    }

    /// `nifti_quatern_to_mat44` of the format's description: a rotation, with the third axis turned round where `pixdim[0]` is
    /// negative.
    private static func quaternion(_ b: Double, _ c: Double, _ d: Double, pixdim: [Double]) -> [[Double]] {
        var (b, c, d) = (b, c, d)
        var a = 1 - (b * b + c * c + d * d)
        if a < 1e-7 {
            let length = (b * b + c * c + d * d).squareRoot()
            (b, c, d) = (b / length, c / length, d / length)
            a = 0
        } else {
            a = a.squareRoot()
        }
        let rotation = [
            [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
            [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
            [2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - c * c - b * b],
        ]
        let handedness: [Double] = [1, 1, pixdim[0] < 0 ? -1 : 1]
        return (0..<3).map { column in rotation[column].map { $0 * handedness[column] * pixdim[column + 1] } }
    }
}

/// Which axis of the file runs along which axis of the patient, and in which direction.
struct Orientation: Sendable, Hashable {
    /// For the patient's x, y, z: the file's axis.
    let axes: [Int]
    /// For the patient's x, y, z: whether the file's axis runs the other way.
    let flipped: [Bool]

    /// The nearest assignment: of the six, the one whose summed cosines between the file's and the patient's axes are largest.
    ///
    /// `nil` where a column is zero or not finite, or where two run in parallel.
    init?(columns: [[Double]]) {
        let unit = columns.map { column in
            let length = (column[0] * column[0] + column[1] * column[1] + column[2] * column[2]).squareRoot()
            return column.map { $0 / length }
        }
        guard unit.joined().allSatisfy(\.isFinite), abs(Self.determinant(unit)) > 1e-3 else { return nil }
        let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        func agreement(_ axes: [Int]) -> Double { (0..<3).reduce(0) { $0 + abs(unit[axes[$1]][$1]) } }
        var best = permutations[0]
        // Ties keep the earlier one, hence the file's own order.
        for axes in permutations.dropFirst() where agreement(axes) > agreement(best) + 1e-9 { best = axes }
        axes = best
        flipped = (0..<3).map { unit[best[$0]][$0] < 0 }
    }

    /// Copies samples of the file's order into the patient's.
    func reorient(_ samples: [Float], size: [Int], spacing: [Double]) -> Volume {
        let target = axes.map { size[$0] }
        let strides = [1, size[0], size[0] * size[1]]
        let steps = (0..<3).map { flipped[$0] ? -strides[axes[$0]] : strides[axes[$0]] }
        let start = (0..<3).reduce(0) { $0 + (flipped[$1] ? strides[axes[$1]] * (target[$1] - 1) : 0) }
        let shape = (x: target[0], y: target[1], z: target[2])
        let distances = (x: spacing[axes[0]], y: spacing[axes[1]], z: spacing[axes[2]])
        if start == 0, steps == strides { return Volume(size: shape, spacing: distances, voxels: samples) }
        var voxels: [Float] = []
        voxels.reserveCapacity(samples.count)
        for z in 0..<target[2] {
            for y in 0..<target[1] {
                var index = start + z * steps[2] + y * steps[1]
                for _ in 0..<target[0] {
                    voxels.append(samples[index])
                    index += steps[0]
                }
            }
        }
        return Volume(size: shape, spacing: distances, voxels: voxels)
    }

    private static func determinant(_ m: [[Double]]) -> Double {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    }
}
