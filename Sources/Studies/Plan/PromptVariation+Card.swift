import Endpoints
import Prompts

/// A setting of sampling that a model's endpoint does not take.
public struct SettingRefused: Error, Sendable, Hashable, CustomStringConvertible {
    public var setting: String
    public var model: String

    public var description: String {
        "\(model) takes no \(setting), as its card in models.yaml says: ask without it"
    }
}

extension PromptVariation {
    /// What is left where an endpoint takes no temperature or no seed.
    func taken(by card: ModelCard) -> PromptVariation {
        PromptVariation(
            system: system, temperature: card.temperatureSupported ? temperature : nil,
            seed: card.seedSupported ? seed : nil)
    }

    /// Why a single model cannot be asked like this; nil where it can.
    func refusal(by card: ModelCard) -> SettingRefused? {
        if temperature != nil, !card.temperatureSupported {
            return SettingRefused(setting: "temperature", model: card.id)
        }
        if seed != nil, !card.seedSupported { return SettingRefused(setting: "seed", model: card.id) }
        return nil
    }
}
