import Foundation
import Hashing
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// The vectors of FIPS 180-4's examples; `printf abc | sha256sum` gives the same.
    @Test(
        "gives the published digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func published(_ text: String, _ digest: String) {
        #expect(SHA256.hexadecimal(Data(text.utf8)) == digest)
    }

    @Test("is the same in parts, and goes on after it was read")
    func parts() {
        var hash = SHA256()
        hash.update(Data("a".utf8))
        #expect(hash.hexadecimal() == SHA256.hexadecimal(Data("a".utf8)))
        hash.update(Data())
        hash.update([UInt8]("bc".utf8))
        #expect(hash.hexadecimal() == SHA256.hexadecimal(Data("abc".utf8)))
    }
}
