#if canImport(Glibc)
    import Glibc
#endif

/// Asks the system to back large memory with large pages: activations are walked from end to end, and address translation is
/// a tenth of the time otherwise. A request only; nothing depends on it.
func useHugePages(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    #if os(Linux)
        if bytes >= 4 << 20 { _ = madvise(block, bytes, MADV_HUGEPAGE) }
    #endif
}
