/// What an answer says in words: whether it declines, and which axis comes first.
struct AnswerWords {
    /// Lower case for ASCII letters, typographic apostrophes made plain.
    private let bytes: [UInt8]

    init(_ answer: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(answer.count)
        for byte in answer {
            bytes.append((65...90).contains(byte) ? byte + 32 : byte)
            if bytes.suffix(3).elementsEqual([0xE2, 0x80, 0x99]) {
                bytes.removeLast(3)
                bytes.append(UInt8(ascii: "'"))
            }
        }
        self.bytes = bytes
    }

    /// Whether the answer itself says that rows come first, and nowhere the contrary.
    var sayRowsFirst: Bool {
        ["[y, x]", "(y, x)", "[y,x]", "(y,x)", "(row, col", "[row, col"].contains(where: contains)
            && !["[x, y]", "(x, y)", "[x,y]", "(x,y)", "(col, row", "[col, row"].contains(where: contains)
    }

    /// Whether the answer reads as a refusal; asked only where it holds no shape.
    var isRefusal: Bool {
        [
            "i can't", "i cannot", "i can not", "i'm sorry", "i am sorry", "unable to", "not able to", "as an ai",
            "i won't", "i decline", "can't help", "cannot help", "can't assist", "cannot assist",
            "i don't have the ability",
        ].contains(where: contains)
    }

    /// O(bytes): the words looked for are short.
    private func contains(_ words: String) -> Bool {
        let wanted = Array(words.utf8)
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            for start in 0...(bytes.count - wanted.count) where bytes[start] == first {
                var length = 1
                while length < wanted.count, bytes[start + length] == wanted[length] { length += 1 }
                if length == wanted.count { return true }
            }
            return false
        }
    }
}
