import Files
import Foundation
import ResultStore

/// An error as a sentence, also one that the system threw and nobody put into words.
enum SystemSentence {
    static func of(_ error: any Error) -> String {
        guard let reason = SystemReason.of(error) else { return "\(error)" }
        let file = (error as NSError).userInfo[NSFilePathErrorKey] as? String
        return (file.map { "\($0): " } ?? "") + reason
    }
}
