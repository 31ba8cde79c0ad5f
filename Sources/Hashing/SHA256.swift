import CCrypto
import Foundation

/// SHA-256 (FIPS 180-4), by the system's libcrypto: names of cached files, identities of data sets, prompts and requests.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto offers no SHA-256 on this machine")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, EVP_DigestUpdate(context, base, bytes.count) != 1 else { return }
        fatalError("libcrypto refused to hash \(bytes.count) bytes")
    }

    public mutating func update(_ data: some ContiguousBytes) {
        data.withUnsafeBytes { update($0) }
    }

    /// The 64 lower-case hexadecimal digits of everything given so far; more may follow.
    public func hexadecimal() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let copy = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(copy) }
        guard EVP_MD_CTX_copy_ex(copy, context) == 1, EVP_DigestFinal_ex(copy, &digest, nil) == 1 else {
            fatalError("libcrypto could not end a hash")
        }
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The 64 lower-case hexadecimal digits of the hash of `data`.
    public static func hexadecimal(_ data: some ContiguousBytes) -> String {
        var hash = SHA256()
        hash.update(data)
        return hash.hexadecimal()
    }
}
