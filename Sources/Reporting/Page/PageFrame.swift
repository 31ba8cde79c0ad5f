import Foundation
import Mustache

/// What stands around every page: head, navigation, footer.
struct PageFrame: Sendable {
    var path: String
    var title: String
    var study: String
    var tables: [PageTables.Heading]
    var notice: String?
    var readAt: Date
    var live: ReportPage.Live?
    var library: MustacheLibrary

    /// Where scripts, styles, pictures and news may come from: the report's own files and nothing else. Styles are files, too:
    /// neither `<style>` nor `style=` is let in.
    static func policy(live: Bool) -> String {
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src \(live ? "'self'" : "'none'"); "
            + "base-uri 'none'; form-action 'none'"
    }

    private var root: String { path.contains("/") ? "../" : "" }

    /// - Throws: `ReportError.template`.
    func render(_ main: Markup) throws -> Data {
        var model: [String: Any] = [
            "title": StoredText.escapingControls(title), "root": root, "policy": Self.policy(live: live != nil),
            "main": main.html, "navigation": navigation.html, "footer": StoredText.escapingControls(footer),
        ]
        if let notice { model["notice"] = notice }
        if let live { model["version"] = live.version }
        guard let text = library.render(model, withTemplate: "page") else {
            throw ReportError.template(name: "page", reason: "it is not registered")
        }
        return Data(text.utf8)
    }

    private var navigation: Markup {
        var markup = Markup()
        func link(_ target: String, _ title: String, _ markup: inout Markup) {
            markup.element("a", ["href": root + target, "aria-current": target == path ? "page" : nil], text: title)
        }
        link("index.html", "Overview", &markup)
        link("runs.html", "Runs", &markup)
        for table in tables { link("tables/\(table.name).html", table.title, &markup) }
        link("figures.html", "Figures", &markup)
        link("report.xlsx", "Workbook", &markup)
        return markup
    }

    private var footer: String {
        "Study \(study), read from results/\(study)/bench.sqlite on \(readAt.formatted(.iso8601)). "
            + "Text of models and programs is shown as it came, escaped."
    }
}
