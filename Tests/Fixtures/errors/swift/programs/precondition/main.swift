func check(_ size: Int) {
    precondition(size % 16 == 0, "sizes must be multiples of 16")
}
check(CommandLine.arguments.count)
