/// A scalar volume whose axes run to the patient's right, front and top ("RAS+"), whatever the file's order was.
public struct Volume: Sendable {
    /// Voxels along x (left to right), y (back to front), z (bottom to top).
    public let size: (x: Int, y: Int, z: Int)
    /// Millimetres along the same axes.
    public let spacing: (x: Double, y: Double, z: Double)
    /// Scaled samples, layout Z Y X: x varies fastest.
    public let voxels: [Float]

    /// One sample; indices out of range trap.
    public subscript(x: Int, y: Int, z: Int) -> Float { voxels[(z * size.y + y) * size.x + x] }

    /// One axial slice as radiologists look at it: the patient's front at the top, the patient's right on the viewer's left.
    ///
    /// - Returns: Layout H W, with H = `size.y` and W = `size.x`; `nil` outside the volume.
    public func axialSlice(_ z: Int) -> [Float]? {
        guard (0..<size.z).contains(z) else { return nil }
        var slice: [Float] = []
        slice.reserveCapacity(size.x * size.y)
        for y in (0..<size.y).reversed() {
            for x in (0..<size.x).reversed() { slice.append(self[x, y, z]) }
        }
        return slice
    }
}
