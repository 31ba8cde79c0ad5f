/// What a report is about.
public enum ReportSubject: String, Sendable, Hashable, CaseIterable {
    case errors, architectures, hyperparameters, pipelines, losses, dice, inference, engines, variability, cohorts,
        prompts,
        cost

    /// As a reader meets them in a report.
    static let order: [ReportSubject] = [
        .dice, .errors, .architectures, .hyperparameters, .pipelines, .engines, .inference, .variability, .cohorts,
        .prompts, .cost, .losses,
    ]
}

extension StudyEvidence {
    /// The tables of one subject.
    ///
    /// - Complexity: Cohorts, variability and Dice resample 2000 to 10 000 times: a second or so for twenty models.
    public func tables(about subject: ReportSubject) -> [ReportTable] {
        switch subject {
        case .errors: [errorsTable(), successTable(), mendingTable(), errorKindsTable(), statedChoicesTable()]
        case .architectures: [architecturesTable()]
        case .hyperparameters: [hyperparametersTable()]
        case .pipelines: [pipelinesTable(), pipelineChoicesTable(), targetChoicesTable()].compactMap { $0 }
        case .losses: [lossesTable()]
        case .dice: [diceTable(), baselineTable(), versionsTable()].compactMap { $0 }
        case .inference: [inferenceTable()]
        case .engines: [parityTable()]
        case .variability: [variabilityTable(), spreadTable(), choiceSpreadTable()]
        case .cohorts: [cohortsTable(), cohortGroupsTable(), cohortRanksTable(), cohortCurvesTable()]
        case .prompts: [promptsTable()]
        case .cost: [modelCostTable(), costTable()]
        }
    }

    /// The tables of a report in their order; the page leaves out the long one of epochs, which is in the workbook and the figures.
    public func tables(forPage: Bool = false) -> [ReportTable] {
        ReportSubject.order.flatMap { tables(about: $0, forPage: forPage) }
    }

    func tables(about subject: ReportSubject, forPage: Bool) -> [ReportTable] {
        switch subject {
        case .errors: [errorsTable(classesAsColumns: !forPage)] + tables(about: .errors).dropFirst()
        case .losses where forPage: []
        default: tables(about: subject)
        }
    }
}
