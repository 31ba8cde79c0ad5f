import Foundation
import Generation
import Prompts

/// Replies whose programs are pure Python of a few lines.
public enum TinyPrograms {
    /// A whole reply of four files; `main` is the text of main.py.
    public static func reply(main: String, model: String = "def unet():\n    return 8\n") -> String {
        """
        Here is the program.

        ```python
        # dataset.py
        def pairs():
            return []
        ```

        ```python
        # model.py
        \(model)```

        ```python
        # train.py
        from dataset import pairs


        def train():
            return pairs()
        ```

        \(mainOnly(main))
        """
    }

    /// A reply that changes main.py.
    public static func mainOnly(_ main: String) -> String {
        """
        ```python
        # main.py
        import sys
        from model import unet
        from train import train

        \(main)
        ```
        """
    }

    /// Leaves a file in the folder it is given, and ends well.
    public static let good = "print(unet(), train())\nopen(sys.argv[1] + '/config.json', 'w').write('{}')"
    public static let nameError = "print(undefined_name)"
    public static let typeError = "print(unet() + 'text')"
    public static let valueError = "raise ValueError('expected 3 channels, got 1')"

    /// A history with an error, a reply without code, a fragment that has to be asked for, and an end.
    public static let eventful: [String] = [
        reply(main: nameError),
        "I am sorry about that. The name must be defined first.",
        mainOnly(typeError),
        "Change this in `main.py`:\n\n```python\nprint(unet() + 1)\n```\n",
        mainOnly(valueError),
        mainOnly(good),
    ]
}

/// The feedback templates without their files.
public struct PlainTexts: FeedbackTexts {
    public init() {}

    public func feedback(_ template: FeedbackTemplate, slots: [String: String]) throws -> FilledFeedback {
        let filled = slots.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
        return FilledFeedback(
            text: "[\(template.rawValue) \(filled)]", templateHash: "hash-of-\(template.rawValue)")
    }
}
