import Testing

@testable import Tables

@Suite struct CSVTableTests {
    @Test(
        "Every way to write the same table reads the same",
        arguments: [
            "a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "\u{feff}a,b\n1,2\n3,4\n",
            "a,b\n\n1,2\n\n\n3,4\n",
            "\"a\",\"b\"\n\"1\",\"2\"\n3,\"4\"",
        ])
    func forms(text: String) throws {
        let table = try CSVTable(parsing: text)
        #expect(table.columns == ["a", "b"] && table.rows.map(\.fields) == [["1", "2"], ["3", "4"]])
        #expect(try table.column("b") == 1)
    }

    @Test func quotedFieldsHoldWhatPlainOnesCannot() throws {
        let table = try CSVTable(parsing: "name,said\nMüller,\"one, \"\"two\"\"\nthree\"\n,\"\"\n x , y \n")
        #expect(table.rows.map(\.fields) == [["Müller", "one, \"two\"\nthree"], ["", ""], [" x ", " y "]])
        #expect(table.rows.map(\.line) == [2, 4, 5])
    }

    @Test func aHeaderAloneIsATableWithoutRows() throws {
        #expect(try CSVTable(parsing: "a,b").rows.isEmpty)
        // A carriage return that ends no line is a character as any other.
        #expect(try CSVTable(parsing: "a\n1\r2").rows[0].fields == ["1\r2"])
    }

    @Test(arguments: [
        ("", CSVError.noHeader, "the table is empty"),
        ("\n\r\n", .noHeader, "first line must name"),
        ("a,,c\n", .unnamedColumn(2), "column 2 has no name"),
        ("a,b,a\n", .repeatedColumn("a"), "'a' twice"),
        (
            "a,b\n1,2\n1\n", .fieldCount(line: 3, found: 1, expected: 2),
            "line 3 has 1 field where the first line names 2"
        ),
        ("a,b\n1,2,\n", .fieldCount(line: 2, found: 3, expected: 2), "3 fields"),
        ("a,b\n1,\"2\n3,4\n", .openQuote(line: 2), "opened on line 2 is never closed"),
        ("a,b\n1,2\"\n", .strayQuote(line: 2), "line 2 has a quotation mark inside"),
        ("a,b\n\"1\"2,3\n", .strayQuote(line: 2), "quote the whole field"),
    ])
    func whatIsNoTable(text: String, expected: CSVError, sentence: String) {
        #expect {
            try CSVTable(parsing: text)
        } throws: {
            $0 as? CSVError == expected && "\($0)".contains(sentence)
        }
    }

    @Test func aColumnThatIsNotThereNamesThoseThatAre() throws {
        let table = try CSVTable(parsing: "a,b\n")
        #expect {
            try table.column("c")
        } throws: {
            "\($0)" == "no column 'c': the table has a, b"
        }
    }

    /// What any bytes give: a table or a refusal, never a crash, and a table has rows as long as its header.
    @Test func anyTextIsReadOrRefused() {
        var random = SystemRandomNumberGenerator()
        let alphabet: [Character] = ["a", ",", "\"", "\n", "\r", "é", " ", "\u{feff}", "1"]
        for _ in 0..<3000 {
            let text = String(
                (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            guard let table = try? CSVTable(parsing: text) else { continue }
            #expect(table.rows.allSatisfy { $0.fields.count == table.columns.count }, "\(text.debugDescription)")
        }
    }
}
