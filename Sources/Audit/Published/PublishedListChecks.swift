/// Where the rows of a dataset and cohort stand.
private func look(_ dataset: String) -> String {
    "grep -n '^\(dataset),' Sources/PublishedFigures/Data/test_dice.csv"
}

/// Rows of one dataset under the name of another.
struct PublishedListsCheck: PublishedCheck {
    let id = "published-lists"
    let asks = "Are the Dice of different datasets and cohorts different?"
    let why =
        "Two datasets do not give the same Dice: one list was copied over the other, and what was measured there is not known."

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        SharedValues.all(in: tables.lists).map { shared in
            let names = [shared.first.name, shared.second.name]
            return finding(
                .error, "test_dice.csv, \(names[0]) and \(names[1])",
                (shared.isWhole
                    ? "all \(shared.count) values are the same, number for number"
                    : "\(shared.count) values in a row are the same")
                    + " (by chance: \(Wording.number(shared.chance, digits: 2)) at most)",
                look: names.map { look($0.split(separator: " ").first.map(String.init) ?? $0) }.joined(separator: "; "))
        }
    }
}

/// A list in another order than the others.
struct PublishedOrderCheck: PublishedCheck {
    let id = "published-order"
    let asks = "Are all lists sorted by Dice, as most are?"
    let why = "Models are not named there: their rank in the list is all that tells them apart."

    func findings(in tables: PublishedTables) -> [AuditFinding] {
        ListOrder.exceptions(in: tables.lists).map { list in
            finding(
                .note, "test_dice.csv, \(list.name)",
                "its \(list.values.count) values are not sorted; those of most other lists are",
                look: look(list.name.split(separator: " ").first.map(String.init) ?? list.name))
        }
    }
}
