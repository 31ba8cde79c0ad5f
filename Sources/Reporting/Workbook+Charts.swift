import CXLSXWriter
import Foundation

/// Where a table lies in the workbook: what a chart refers to.
struct PlacedTable {
    var table: ReportTable
    var sheet: String
    /// From 0: the row of the first data.
    var firstRow: Int

    func column(_ key: String) -> Int? { table.columns.firstIndex { $0.key == key } }
    var lastRow: Int { firstRow + table.rows.count - 1 }
}

extension Workbook {
    /// A sheet of native charts that follow the numbers of the sheets: errors stacked by class, mean Dice, validation curves.
    static func addCharts(_ placed: [PlacedTable], to workbook: UnsafeMutablePointer<lxw_workbook>) {
        let charts = [errorsChart, diceChart, curvesChart].compactMap { make in make(placed, workbook) }
        guard !charts.isEmpty, let sheet = workbook_add_worksheet(workbook, "Charts") else { return }
        for (index, chart) in charts.enumerated() {
            var options = lxw_chart_options()
            options.x_scale = 1.7
            options.y_scale = 1.5
            worksheet_insert_chart_opt(sheet, lxw_row_t(1 + index * 24), 1, chart, &options)
        }
    }

    private static func errorsChart(
        _ placed: [PlacedTable], _ workbook: UnsafeMutablePointer<lxw_workbook>
    ) -> UnsafeMutablePointer<lxw_chart>? {
        guard let errors = placed.first(where: { $0.table.name == "errors" && !$0.table.rows.isEmpty }),
            let model = errors.column("model"), let before = errors.column("feedbacks"),
            let after = errors.column("contract_violations"),
            let chart = workbook_add_chart(workbook, UInt8(LXW_CHART_BAR_STACKED.rawValue))
        else { return nil }
        // The classes stand between the replies and what is counted apart from exceptions.
        let columns = Array((before + 1)..<after).filter { errors.table.columns[$0].numeric } + [after, after + 1]
        for (index, column) in columns.enumerated() {
            addSeries(chart, errors, name: column, categories: model, values: column, colour: index)
        }
        title(chart, "Errors of each run by class", x: "errors", y: nil)
        return chart
    }

    private static func diceChart(
        _ placed: [PlacedTable], _ workbook: UnsafeMutablePointer<lxw_workbook>
    ) -> UnsafeMutablePointer<lxw_chart>? {
        guard let dice = placed.first(where: { $0.table.name == "dice" && !$0.table.rows.isEmpty }),
            let model = dice.column("model"), let mean = dice.column("mean_dice"),
            let reference = dice.column("mean_mask_dice"),
            let chart = workbook_add_chart(workbook, UInt8(LXW_CHART_COLUMN.rawValue))
        else { return nil }
        addSeries(chart, dice, name: mean, categories: model, values: mean, colour: 0)
        addSeries(chart, dice, name: reference, categories: model, values: reference, colour: 5)
        title(chart, "Mean held-out Dice beside the mean mask", x: nil, y: "Dice")
        chart_axis_set_min(chart.pointee.y_axis, 0)
        chart_axis_set_max(chart.pointee.y_axis, 1)
        return chart
    }

    /// A curve a training, of the first twelve: more cannot be told apart.
    private static func curvesChart(
        _ placed: [PlacedTable], _ workbook: UnsafeMutablePointer<lxw_workbook>
    ) -> UnsafeMutablePointer<lxw_chart>? {
        guard let losses = placed.first(where: { $0.table.name == "losses" && !$0.table.rows.isEmpty }),
            let epoch = losses.column("epoch"), let dice = losses.column("common_soft_dice"),
            let model = losses.column("model"),
            let chart = workbook_add_chart(workbook, UInt8(LXW_CHART_SCATTER_STRAIGHT.rawValue))
        else { return nil }
        let identity = ["model", "dataset", "engine", "seed"].compactMap(losses.column)
        var start = 0
        var series = 0
        let rows = losses.table.rows
        while start < rows.count, series < 12 {
            let key = identity.map { rows[start][$0] }
            let end = rows[start...].firstIndex { row in identity.map { row[$0] } != key } ?? rows.count
            if rows[start..<end].contains(where: { $0[dice] != .missing }) {
                addSeries(
                    chart, losses, title: rows[start][model].shown, categories: epoch, values: dice,
                    rows: (losses.firstRow + start)...(losses.firstRow + end - 1), colour: series)
                series += 1
            }
            start = end
        }
        guard series > 0 else { return nil }
        title(chart, "Common validation soft Dice", x: "epoch", y: "soft Dice")
        chart_axis_set_min(chart.pointee.y_axis, 0)
        chart_axis_set_max(chart.pointee.y_axis, 1)
        return chart
    }

    /// - Parameters:
    ///   - name: the column whose heading names the series; or `title`.
    private static func addSeries(
        _ chart: UnsafeMutablePointer<lxw_chart>, _ placed: PlacedTable, name: Int? = nil, title: String = "",
        categories: Int, values: Int, rows: ClosedRange<Int>? = nil, colour: Int
    ) {
        let rows = rows ?? placed.firstRow...placed.lastRow
        guard let series = chart_add_series(chart, nil, nil) else { return }
        let (first, last) = (lxw_row_t(rows.lowerBound), lxw_row_t(rows.upperBound))
        chart_series_set_categories(series, placed.sheet, first, lxw_col_t(categories), last, lxw_col_t(categories))
        chart_series_set_values(series, placed.sheet, first, lxw_col_t(values), last, lxw_col_t(values))
        if let name {
            chart_series_set_name_range(series, placed.sheet, lxw_row_t(placed.firstRow - 1), lxw_col_t(name))
        } else {
            // A name that begins with '=' would be read as a reference.
            chart_series_set_name(series, title.hasPrefix("=") ? " " + title : title)
        }
        let hue = Canvas.Colour.series[colour % Canvas.Colour.series.count]
        let value = UInt32(hue.red * 255) << 16 | UInt32(hue.green * 255) << 8 | UInt32(hue.blue * 255)
        var line = lxw_chart_line()
        line.color = lxw_color_t(value)
        line.width = 1.5
        chart_series_set_line(series, &line)
        var fill = lxw_chart_fill()
        fill.color = lxw_color_t(value)
        chart_series_set_fill(series, &fill)
    }

    private static func title(_ chart: UnsafeMutablePointer<lxw_chart>, _ title: String, x: String?, y: String?) {
        chart_title_set_name(chart, title)
        if let x { chart_axis_set_name(chart.pointee.x_axis, x) }
        if let y { chart_axis_set_name(chart.pointee.y_axis, y) }
    }
}
