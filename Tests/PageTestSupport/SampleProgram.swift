/// What the made-up runs say and write.
enum SampleProgram {
    struct Failure: Sendable {
        var name: String
        var subcategory: String
        var message: String
        /// Of model.py.
        var line: Int
        /// What stands there instead of the right line.
        var wrong: String

        var traceback: String {
            """
            Traceback (most recent call last):
              File "/work/main.py", line 14, in <module>
                train(model, loader, epochs=args.epochs)
              File "/work/train.py", line 9, in train
                logits = model(images)
              File "/work/model.py", line \(line), in forward
                \(wrong)
            \(name): \(message)

            """
        }
    }

    static let failures = [
        Failure(
            name: "RuntimeError", subcategory: "shape mismatch",
            message:
                "Sizes of tensors must match except in dimension 1. Expected size 24 but got size 25 for tensor number 1 in the list.",
            line: 31, wrong: "x = torch.cat([skip, x], dim=0)"),
        Failure(
            name: "NameError", subcategory: "missing import", message: "name 'F' is not defined", line: 29,
            wrong: "x = F.interpolate(x, scale_factor=2)"),
        Failure(
            name: "TypeError", subcategory: "API misuse",
            message: "Conv2d.__init__() got an unexpected keyword argument 'kernel'", line: 8,
            wrong: "nn.Conv2d(inputs, outputs, kernel=3, padding=1),"),
        Failure(
            name: "AttributeError", subcategory: "API misuse", message: "'UNet' object has no attribute 'pools'",
            line: 26,
            wrong: "x = self.pools(x)"),
    ]

    static func files(round: Int, failure: Failure?) -> [(String, String)] {
        [
            ("dataset.py", dataset), ("model.py", model(round: round, failure: failure)), ("train.py", train),
            ("main.py", main),
        ]
    }

    static func model(round: Int, failure: Failure?) -> String {
        var lines = """
            import torch
            from torch import nn


            def block(inputs: int, outputs: int) -> nn.Sequential:
                \"\"\"Two convolutions, each with batch norm and ReLU.\"\"\"
                return nn.Sequential(
                    nn.Conv2d(inputs, outputs, kernel_size=3, padding=1),
                    nn.BatchNorm2d(outputs),
                    nn.ReLU(inplace=True),
                )


            class UNet(nn.Module):
                def __init__(self, base: int = 16, stages: int = 3):
                    super().__init__()
                    widths = [base * 2 ** k for k in range(stages + 1)]
                    self.encoder = nn.ModuleList(block(a, b) for a, b in zip([1] + widths, widths))
                    self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths, widths[1:]))
                    self.decoder = nn.ModuleList(block(2 * a, a) for a in widths[:-1])
                    self.head = nn.Conv2d(base, 1, kernel_size=1)

                def forward(self, x):
                    skips = []
                    for stage in self.encoder[:-1]:  # on the way down
                        x = stage(x)
                        skips.append(x)
                        x = nn.functional.max_pool2d(x, 2)
                    x = self.encoder[-1](x)
                    for up, stage, skip in reversed(list(zip(self.up, self.decoder, skips))):
                        x = torch.cat([skip, up(x)], dim=1)
                        x = stage(x)
                    return torch.sigmoid(self.head(x))
            """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let failure {
            let indent = lines[failure.line - 1].prefix { $0 == " " }
            lines[failure.line - 1] = indent + failure.wrong
        }
        if round > 0 { lines.insert("# Round \(round): shapes are checked before they are joined.", at: lines.count) }
        return lines.joined(separator: "\n") + "\n"
    }

    static let dataset = """
        from pathlib import Path

        import numpy as np
        import torch
        from PIL import Image
        from torch.utils.data import Dataset

        SIZE = 96


        class Scans(Dataset):
            \"\"\"Pairs of image and mask, scaled to [0, 1].\"\"\"

            def __init__(self, folder: str):
                self.images = sorted(Path(folder, "images").glob("*.png"))

            def __len__(self):
                return len(self.images)

            def __getitem__(self, index):
                path = self.images[index]
                image = np.asarray(Image.open(path).convert("L").resize((SIZE, SIZE)), dtype=np.float32) / 255.0
                mask = np.asarray(Image.open(str(path).replace("images", "masks")).convert("L").resize((SIZE, SIZE)))
                return torch.from_numpy(image)[None], torch.from_numpy((mask > 127).astype(np.float32))[None]

        """

    static let train = """
        import torch


        def train(model, loader, epochs: int, rate: float = 1e-3):
            optimizer = torch.optim.Adam(model.parameters(), lr=rate, weight_decay=1e-4)
            losses = []
            for epoch in range(1, epochs + 1):
                for images, masks in loader:
                    loss = torch.nn.functional.binary_cross_entropy(model(images), masks)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                losses.append(loss.item())
                print(f"epoch {epoch}/{epochs}  loss {losses[-1]:.4f}")
            return losses

        """

    static let main = """
        import argparse

        from torch.utils.data import DataLoader

        from dataset import Scans
        from model import UNet
        from train import train

        parser = argparse.ArgumentParser()
        parser.add_argument("--data", required=True)
        parser.add_argument("--out", required=True)
        parser.add_argument("--epochs", type=int, default=30)
        args = parser.parse_args()
        train(UNet(), DataLoader(Scans(args.data), batch_size=8, shuffle=True), epochs=args.epochs)

        """

    static let prompt = """
        Write a complete PyTorch pipeline that segments the ellipse in made-up scans with a U-Net.

        Four files: dataset.py, model.py, train.py, main.py. main.py takes --data, --out and --epochs.
        """

    static let reasoning = """
        The images are 96×96 with one channel. Three stages of pooling leave 12×12, which is enough. I should use padding so that the \
        skip connections have the same size as the up-sampled maps, and a sigmoid at the end since the loss is binary cross-entropy.
        """

    static func reply(round: Int, failure: Failure?) -> String {
        let opening =
            round == 0
            ? "Here is the complete pipeline. It uses a U-Net with three stages."
            : "You are right, I have corrected `model.py`."
        return """
            \(opening)

            ```python
            \(model(round: round, failure: failure))```

            Run it with `python main.py --data DIR --out DIR`.
            """
    }
}
