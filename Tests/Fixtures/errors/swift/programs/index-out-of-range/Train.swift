func pick(_ values: [Double], _ index: Int) -> Double {
    return values[index]
}
