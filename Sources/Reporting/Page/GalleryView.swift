/// Held-out images with truth and prediction laid over them; a slider sets how much of the masks is seen.
struct GalleryView {
    var gallery: HeldOutGallery
    /// Path of a file of the report, from the page.
    var root: String
    /// Path of a prediction, from the page.
    var predictionPath: (HeldOutGallery.Case) -> String

    var markup: Markup {
        var markup = Markup()
        let record = gallery.training.record
        markup.element("p", ["class": "lead"]) { markup in
            markup.text(
                "Engine \(record.engine.rawValue), seed \(record.seed); \(gallery.cases.count) of "
                    + "\(gallery.training.heldOut.count) held-out images, from the worst to the best. ")
            markup.element("span", ["class": "key truth"], text: "truth (outline)")
            markup.text(" ")
            markup.element("span", ["class": "key prediction"], text: "prediction (filled)")
        }
        controls(&markup)
        markup.element("div", ["class": "gallery", "id": "gallery", "data-show": "both"]) { markup in
            for (index, item) in gallery.cases.enumerated() { add(item, index, &markup) }
        }
        return markup
    }

    /// Hidden where there is no script to serve them.
    private func controls(_ markup: inout Markup) {
        markup.element("form", ["class": "controls scripted", "aria-label": "Masks over the images"]) { markup in
            markup.element("label", ["for": "mask-opacity"], text: "Mask opacity")
            markup.start(
                "input",
                [
                    "type": "range", "id": "mask-opacity", "min": "0", "max": "100", "step": "5", "value": "50",
                    "aria-valuetext": "50 %",
                ])
            markup.element("output", ["for": "mask-opacity", "id": "mask-opacity-value"], text: "50 %")
            markup.element("fieldset") { markup in
                markup.element("legend", text: "Show")
                for (value, title) in [("both", "both"), ("truth", "truth"), ("prediction", "prediction")] {
                    markup.element("label") { markup in
                        markup.start(
                            "input",
                            [
                                "type": "radio", "name": "mask-shown", "value": value,
                                "checked": value == "both" ? "" : nil,
                            ])
                        markup.text(" \(title)")
                    }
                }
            }
        }
    }

    private func add(_ item: HeldOutGallery.Case, _ index: Int, _ markup: inout Markup) {
        let dice = ReportTable.Cell.fixed(item.record.dice, 3)
        let name = StoredText.line(item.record.sample, limit: 80)
        // Known before it is loaded, so that nothing on the page moves when it is.
        let sample = gallery.sample(item)
        let size = sample.size
        markup.element("figure", ["id": "image-\(index + 1)", "class": "case"]) { markup in
            markup.element("div", ["class": "overlay"]) { markup in
                markup.start(
                    "img",
                    [
                        "class": "base", "src": root + sample.imagePath, "loading": "lazy",
                        "width": size.map { "\($0.width)" }, "height": size.map { "\($0.height)" },
                        "alt": "Held-out image \(name); prediction against truth: Dice \(dice)",
                    ])
                markup.start(
                    "img",
                    ["class": "layer truth", "src": root + sample.truthPath, "loading": "lazy", "alt": ""])
                markup.start(
                    "img",
                    ["class": "layer prediction", "src": predictionPath(item), "loading": "lazy", "alt": ""])
            }
            markup.element("figcaption") { markup in
                markup.element("strong", text: "Dice \(dice)")
                markup.text((item.role.map { " · \($0)" } ?? "") + " · \(name)")
            }
        }
    }
}
