import Exchanges
import Foundation

extension ExchangeFiles {
    /// Replaces a folder of files as a whole. The old one is set aside first, so there is a moment without any; the caller's
    /// work that made the files is repeatable.
    static func replaceFolder(_ url: URL, with files: [String: String]) throws(ExchangeFileError) {
        var path = url.path(percentEncoded: false)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let partial = URL(filePath: path + ".writing", directoryHint: .isDirectory)
        try HostileTree.remove(partial)
        try makeFolder(partial)
        for (name, text) in files { try write(Data(text.utf8), to: partial.appending(path: name)) }
        try HostileTree.remove(url)
        try rename(partial, to: url)
    }
}
