func depth(_ n: Int) -> Int {
    return 1 + depth(n + 1)
}
