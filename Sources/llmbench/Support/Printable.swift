import Foundation

/// Text that a program or a model wrote, as one line that a terminal cannot misread.
enum Printable {
    /// A message of several lines that may repeat what a user gave, without what steers a terminal.
    static func lines(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    $0 == "\n"
                        || ($0.properties.generalCategory != .control && $0.properties.generalCategory != .format)
                }))
    }

    static func line(_ text: String, limit: Int = 400) -> String {
        let line = text.prefix { !$0.isNewline }.prefix(limit)
        return String(
            String.UnicodeScalarView(
                line.unicodeScalars.filter {
                    $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
                }))
    }
}
