/// Values such as -1, which the parser would take for options.
enum NegativeNumbers {
    /// `--runs -1` as `--runs=-1`. No option is called by a digit, so that a negative number behind one can only be its value.
    static func joined(_ arguments: some Sequence<String>) -> [String] {
        var joined: [String] = []
        var isOver = false
        for argument in arguments {
            if !isOver, let last = joined.last, last.hasPrefix("--"), last.count > 2, !last.contains("="),
                argument.wholeMatch(of: /-\.?[0-9].*/) != nil
            {
                joined[joined.count - 1] = "\(last)=\(argument)"
            } else {
                joined.append(argument)
            }
            // What follows are no options.
            isOver = isOver || argument == "--"
        }
        return joined
    }
}
