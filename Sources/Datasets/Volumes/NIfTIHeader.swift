/// The fields of the 348 header bytes that reading needs.
struct NIfTIHeader {
    enum SampleType: Int16 {
        case uint8 = 2
        case int16 = 4
        case int32 = 8
        case float32 = 16

        var bytes: Int {
            switch self {
            case .uint8: 1
            case .int16: 2
            case .int32, .float32: 4
            }
        }
    }

    let size: [Int]
    /// Millimetres (as far as the file says so) along the file's axes.
    let spacing: [Double]
    let type: SampleType
    let offset: Int
    let slope: Float
    let intercept: Float
    let orientation: Orientation
    private let bigEndian: Bool

    init(_ bytes: [UInt8], name: String) throws(NIfTIError) {
        guard bytes.count >= 348 else { throw .notNIfTI(path: name) }
        let little = ByteReader(bytes: bytes, bigEndian: false)
        let big = ByteReader(bytes: bytes, bigEndian: true)
        guard little.int32(0) == 348 || big.int32(0) == 348 else {
            if little.int32(0) == 540 || big.int32(0) == 540 { throw .unsupported(path: name, what: "NIfTI-2") }
            throw .notNIfTI(path: name)
        }
        let reader = little.int32(0) == 348 ? little : big
        bigEndian = reader.bigEndian
        switch Array(bytes[344..<348]) {
        case Array("n+1\0".utf8): break
        case Array("ni1\0".utf8): throw .unsupported(path: name, what: "the header of a .hdr/.img pair")
        default: throw .notNIfTI(path: name)
        }
        size = try Self.size(reader, name: name)
        type = try Self.sampleType(reader, name: name)
        let start = reader.float(108)
        guard start.isFinite, start >= 348, start <= Float(bytes.count) else {
            throw .damaged(path: name, reason: "the data are said to start at byte \(start)")
        }
        offset = Int(start)
        let slope = reader.float(112)
        let intercept = reader.float(116)
        guard slope.isFinite, intercept.isFinite else {
            throw .damaged(path: name, reason: "the scaling \(slope)·x + \(intercept) is not finite")
        }
        // A slope of 0 means "not scaled".
        self.slope = slope == 0 ? 1 : slope
        self.intercept = slope == 0 ? 0 : intercept
        let pixdim = (0..<4).map { Double(reader.float(76 + 4 * $0)) }
        let affine = Affine(reader, pixdim: pixdim)
        guard let orientation = Orientation(columns: affine.columns) else {
            throw .damaged(path: name, reason: "its orientation matrix does not span space")
        }
        self.orientation = orientation
        spacing = affine.columns.map { ($0[0] * $0[0] + $0[1] * $0[1] + $0[2] * $0[2]).squareRoot() }
    }

    var voxelCount: (Int, Bool) {
        let (plane, first) = size[0].multipliedReportingOverflow(by: size[1])
        let (count, second) = plane.multipliedReportingOverflow(by: size[2])
        return (count, first || second)
    }

    /// The scaled samples in the file's order. The caller has made sure that the bytes are there.
    func samples(_ bytes: [UInt8], count: Int) -> [Float] {
        let reader = ByteReader(bytes: bytes, bigEndian: bigEndian)
        return (0..<count).map { index in
            let raw: Float
            switch type {
            case .uint8: raw = Float(bytes[offset + index])
            case .int16: raw = Float(reader.int16(offset + 2 * index))
            case .int32: raw = Float(reader.int32(offset + 4 * index))
            case .float32: raw = reader.float(offset + 4 * index)
            }
            return slope * raw + intercept
        }
    }

    private static func size(_ reader: ByteReader, name: String) throws(NIfTIError) -> [Int] {
        let dimensions = Int(reader.int16(40))
        guard (1...7).contains(dimensions) else {
            throw .damaged(path: name, reason: "it claims \(dimensions) dimensions")
        }
        let lengths = (1...dimensions).map { Int(reader.int16(40 + 2 * $0)) }
        guard lengths.allSatisfy({ $0 > 0 }) else {
            throw .damaged(path: name, reason: "its lengths are \(lengths)")
        }
        guard dimensions >= 3, lengths.dropFirst(3).allSatisfy({ $0 == 1 }) else {
            throw .unsupported(
                path: name, what: "\(lengths.map(String.init).joined(separator: "×")) samples, not one volume")
        }
        return Array(lengths.prefix(3))
    }

    private static func sampleType(_ reader: ByteReader, name: String) throws(NIfTIError) -> SampleType {
        let code = reader.int16(70)
        guard let type = SampleType(rawValue: code) else {
            throw .unsupported(path: name, what: "samples of NIfTI type \(code)")
        }
        let bits = Int(reader.int16(72))
        guard bits == type.bytes * 8 else {
            throw .damaged(path: name, reason: "samples of type \(code) are said to have \(bits) bits")
        }
        return type
    }
}

/// Numbers of either byte order in an array; the caller has checked the bounds.
struct ByteReader {
    let bytes: [UInt8]
    let bigEndian: Bool

    func int16(_ at: Int) -> Int16 {
        let low = UInt16(bytes[at + (bigEndian ? 1 : 0)])
        let high = UInt16(bytes[at + (bigEndian ? 0 : 1)])
        return Int16(bitPattern: low | high << 8)
    }

    func int32(_ at: Int) -> Int32 { Int32(bitPattern: uint32(at)) }

    func float(_ at: Int) -> Float { Float(bitPattern: uint32(at)) }

    private func uint32(_ at: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value = value << 8 | UInt32(bytes[at + (bigEndian ? index : 3 - index)]) }
        return value
    }
}
