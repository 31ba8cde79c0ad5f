/// Many samples on one picture, each with the outline of its mask.
public enum ContactSheet {
    /// Draws samples row by row.
    ///
    /// - Parameters:
    ///   - ids: The samples, in the order in which they are drawn.
    ///   - columns: At least 1.
    ///   - cell: Pixels of a cell's side; larger pictures are made smaller by whole-pixel look-up, smaller ones are centred.
    ///   - outlines: Whether masks are outlined in yellow.
    /// - Returns: Layout H W 3, black between the pictures.
    /// - Throws: `DatasetError`.
    public static func draw(
        _ dataset: Dataset, _ ids: [String], columns: Int = 8, cell: Int = 192, outlines: Bool = true
    ) throws(DatasetError) -> Image {
        let columns = max(1, min(columns, ids.count))
        let rows = (max(ids.count, 1) + columns - 1) / columns
        let cell = min(max(cell, 16), 1024)
        guard columns * cell <= 16_384, rows * cell <= 16_384 else {
            throw .invalid(
                path: dataset.folder.path(percentEncoded: false),
                reason: "\(ids.count) samples do not fit one picture: ask for fewer")
        }
        var sheet = Image(
            checked: columns * cell, rows * cell, 3, [UInt8](repeating: 0, count: columns * cell * rows * cell * 3))
        for (index, id) in ids.enumerated() {
            let picture = try pair(dataset, id, outlines: outlines)
            place(picture, on: &sheet, left: index % columns * cell, top: index / columns * cell, cell: cell)
        }
        return sheet
    }

    /// Samples spread evenly over a list, first and last included.
    public static func spread(_ ids: [String], count: Int) -> [String] {
        guard count > 1, ids.count > count else { return Array(ids.prefix(max(0, count))) }
        return (0..<count).map { ids[$0 * (ids.count - 1) / (count - 1)] }
    }

    private static func pair(_ dataset: Dataset, _ id: String, outlines: Bool) throws(DatasetError) -> Image {
        var picture = try dataset.image(id).rgb()
        guard outlines else { return picture }
        let mask = try dataset.truth(id)
        guard mask.width == picture.width, mask.height == picture.height else { return picture }
        for y in 0..<mask.height {
            for x in 0..<mask.width where mask[x: x, y: y] != 0 && isEdge(mask, x, y) {
                picture[x: x, y: y, channel: 0] = 255
                picture[x: x, y: y, channel: 1] = 220
                picture[x: x, y: y, channel: 2] = 0
            }
        }
        return picture
    }

    private static func isEdge(_ mask: Image, _ x: Int, _ y: Int) -> Bool {
        x == 0 || y == 0 || x == mask.width - 1 || y == mask.height - 1 || mask[x: x - 1, y: y] == 0
            || mask[x: x + 1, y: y] == 0 || mask[x: x, y: y - 1] == 0 || mask[x: x, y: y + 1] == 0
    }

    private static func place(_ picture: Image, on sheet: inout Image, left: Int, top: Int, cell: Int) {
        let longer = max(picture.width, picture.height)
        let side = max(longer, cell)
        let width = max(1, picture.width * cell / side)
        let height = max(1, picture.height * cell / side)
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 {
                    sheet[x: left + (cell - width) / 2 + x, y: top + (cell - height) / 2 + y, channel: channel] =
                        picture[x: x * picture.width / width, y: y * picture.height / height, channel: channel]
                }
            }
        }
    }
}
