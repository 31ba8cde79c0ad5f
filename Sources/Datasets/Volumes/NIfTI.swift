import Files
import Foundation

/// Reads single-file NIfTI-1 volumes (`.nii`, `.nii.gz`).
///
/// Three dimensions (or more, if the further ones have length 1); unsigned 8-bit, signed 16-bit, signed 32-bit and 32-bit float
/// samples in either byte order; `scl_slope` and `scl_inter` applied; orientation from the sform, else the qform, else the axes as
/// they lie. An oblique volume is turned to the nearest axes, not resampled. Not offered: header pairs (`.hdr`/`.img`), NIfTI-2,
/// complex or colour samples.
///
/// The format: Cox et al. (2004), `nifti1.h`, https://nifti.nimh.nih.gov/nifti-1.
public enum NIfTI {
    /// What a file may be at most.
    public struct Limits: Sendable, Hashable {
        /// On disk.
        public var fileBytes: Int
        /// Decompressed: also the bound on a decompression bomb.
        public var volumeBytes: Int

        public init(fileBytes: Int = 256 << 20, volumeBytes: Int = 1 << 30) {
            self.fileBytes = fileBytes
            self.volumeBytes = volumeBytes
        }
    }

    /// Reads a file, compressed or not: the content decides, not the name.
    ///
    /// - Throws: `NIfTIError`.
    /// - Complexity: O(voxels), with the file and four bytes a voxel in memory.
    public static func read(_ url: URL, limits: Limits = Limits()) throws(NIfTIError) -> Volume {
        let name = url.path(percentEncoded: false)
        let bytes: [UInt8]
        do {
            bytes = try UntrustedFile.read(url, maximumBytes: limits.fileBytes)
        } catch {
            throw .unreadable(error)
        }
        return try decode(bytes, name: name, limits: limits)
    }

    /// Decodes a file in memory.
    ///
    /// - Parameter name: What errors call it.
    /// - Throws: `NIfTIError`.
    public static func decode(
        _ bytes: [UInt8], name: String = "volume", limits: Limits = Limits()
    ) throws(NIfTIError) -> Volume {
        guard Gzip.isCompressed(bytes) else { return try parse(bytes, name: name, limits: limits) }
        let plain: [UInt8]
        do {
            plain = try Gzip.decompress(bytes, maximumBytes: limits.volumeBytes)
        } catch {
            throw .damaged(path: name, reason: error.description)
        }
        return try parse(plain, name: name, limits: limits)
    }

    private static func parse(_ bytes: [UInt8], name: String, limits: Limits) throws(NIfTIError) -> Volume {
        let header = try NIfTIHeader(bytes, name: name)
        let (count, overflow) = header.voxelCount
        guard !overflow, count <= limits.volumeBytes / max(header.type.bytes, 4) else {
            throw .tooLarge(path: name, size: header.size, limit: limits.volumeBytes)
        }
        guard header.offset + count * header.type.bytes <= bytes.count else {
            throw .damaged(
                path: name,
                reason: "\(count) voxels of \(header.type.bytes) bytes are announced from byte \(header.offset) on, "
                    + "the file ends at byte \(bytes.count)")
        }
        let samples = header.samples(bytes, count: count)
        return header.orientation.reorient(samples, size: header.size, spacing: header.spacing)
    }
}

/// Why a volume was not read.
public enum NIfTIError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(UntrustedFileError)
    /// No NIfTI-1 file at all.
    case notNIfTI(path: String)
    /// A sound file of a kind that is not offered.
    case unsupported(path: String, what: String)
    case damaged(path: String, reason: String)
    case tooLarge(path: String, size: [Int], limit: Int)

    public var description: String {
        switch self {
        case .unreadable(let error): error.description
        case .notNIfTI(let path): "\(printable(path)) is not a NIfTI-1 file: expected a header of 348 bytes and 'n+1'"
        case .unsupported(let path, let what):
            "\(printable(path)) holds \(what); convert it to a single-file NIfTI-1 volume of uint8, int16, int32 or float32"
        case .damaged(let path, let reason): "\(printable(path)) is damaged: \(reason)"
        case .tooLarge(let path, let size, let limit):
            "\(printable(path)) has \(size.map(String.init).joined(separator: "×")) voxels; "
                + "at most \(limit) bytes are read"
        }
    }
}
