"""Writes the signature that each stored output should have into its expectation.

    python3 Tests/Fixtures/errors/signatures.py [--check]

A second implementation, independent of the classifier: it does not search for the error but knows it from the expectation (class, file
and line were written by hand), takes the message that stands behind the class, and the function from the frame of that file and line. The
programs of BY_HAND state it themselves: their message is not what stands behind a class.
--check writes nothing and fails where a stored signature differs.
"""
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
BY_HAND = {
    "argparse", "exit-silent", "exit-with-message", "missing-main", "segmentation-fault", "exit-with-status",
    # The exception that torchinfo hides counts, not its own.
    "torchinfo",
}
JOINED = {
    "SyntaxError": ("SyntaxError", "IndentationError", "TabError"),
    "ImportError": ("ImportError", "ModuleNotFoundError"),
    "NameError": ("NameError", "UnboundLocalError"),
    "MemoryError": ("MemoryError", "_ArrayMemoryError", "OutOfMemoryError", "ResourceExhaustedError"),
}
ENDS = (
    "Traceback (most recent call last):", "During handling of the above exception, another",
    "The above exception was the direct cause", "Exception ignored", "Original Traceback", "  +---",
)
LOG = re.compile(r"[IWEF]\d{4} \d\d:\d\d:[\d.]+ +\d+ |[\d-]{10} [\d:.]+: [IWEF] ")
NORMAL = [
    (r"\b0x[0-9a-fA-F]+", "0x…"),
    (r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "…"),
    (r"\b([Pp][Ii][Dd](?:\(s\))?:? ?)\d+(?:, ?\d+)*", r"\1…"),
    (r"/tmp/[^\s'\":,)]+", "/tmp/…"),
    (r"__inference_([A-Za-z_]+?)_\d+", r"__inference_\1_…"),
    (r"worker process \d+", "worker process …"),
    (r"\b\d+:\d\d(?::\d\d)?\b", "…"),
    (r"-?\b\d+\.\d+(?:[eE][-+]?\d+)?|-?\b\d+[eE][-+]?\d+\b", "#"),
]


def normal(message):
    message = message.strip()[:1000]
    for pattern, mark in NORMAL:
        message = re.sub(pattern, mark, message)
    return " ".join(message.split())[:400].strip()


def message_of(lines, name):
    """What stands behind the last line that begins with the class, to the end of the exception."""
    names = JOINED.get(name, (name,))
    pattern = re.compile(r"^(?:  \| )?(?:[\w.<>]+\.)?(?:%s)(?::|$)" % "|".join(map(re.escape, names)))
    found = [n for n, line in enumerate(lines) if pattern.match(line)]
    if not found:
        return None
    start = found[-1]
    first = re.sub(pattern, "", lines[start], count=1)
    margin = "  | " if lines[start].startswith("  | ") else ""
    rest = []
    for line in lines[start + 1:]:
        if any(mark in line for mark in ENDS) or LOG.match(line) or (margin and not line.startswith(margin)):
            break
        if "%|" not in line:
            rest.append(line.removeprefix(margin))
    text = "\n".join([first, *rest])
    if text.strip().startswith("in user code:"):
        # AutoGraph's: the exception as it was raised stands at its end, indented by four.
        inner = [n for n, line in enumerate(rest) if re.match(r"    [\w.]*%s: ?" % name.split(".")[-1], line)]
        if inner:
            text = "\n".join([rest[inner[-1]].split(":", 1)[1], *rest[inner[-1] + 1:]])
    return text


def function_of(lines, file, line):
    """The function that the last frame of the place names."""
    pattern = re.compile(r'File "/code/%s", line %d(?:, in (.+?)|)(?:  \*)?$' % (re.escape(file), line))
    found = [match for match in map(pattern.search, lines) if match]
    return found[-1].group(1) if found else None


def signature(expected, text):
    lines = [line.split("\r")[-1] if "\r" in line.rstrip("\r") else line for line in text.splitlines()]
    message = message_of(lines, expected["class"])
    if message is None:
        return None
    place = ""
    if expected.get("file"):
        function = function_of(lines, expected["file"], expected["line"])
        place = " @ " + expected["file"] + (f":{function}" if function else "")
    return f"{expected['class']}: {normal(message)}{place}"


def swift_signature(expected, text):
    """A compiler's first error, or a trap's "Fatal error"; where there is none, what the backtracer says of the crash."""
    if expected["class"] == "CompileError":
        message = re.search(r"^(?:/code/\S+?:\d+:\d+: |.*?)error: (.*)$", text, re.M).group(1)
        return f"CompileError: {normal(message)}" + (f" @ {expected['file']}" if expected.get("file") else "")
    found = re.findall(r"(?:Fatal error|Precondition failed|Assertion failed)(?:: (.*))?$", text, re.M) or re.findall(
        r"^\*\*\* (?:Swift runtime failure|Program crashed): (.*?)(?: at 0x\w+)? \*\*\*$", text, re.M)
    found[-1] = found[-1].removeprefix("Error raised at top level: ")
    place = ""
    if expected.get("file"):
        at = re.search(
            r"^ *\d+ (?:\[\w+\] )? *(?:0x\w+ )?(.+?)(?: \+ \d+)? in pipeline at /code/%s:%d\b"
            % (re.escape(expected["file"]), expected["line"]), text, re.M)
        place = f" @ {expected['file']}:{at.group(1)}"
    return f"RuntimeTrap: {normal(found[-1])}{place}"


def main():
    check, wrong = "--check" in sys.argv, 0
    for root in (HERE, HERE / "tensorflow", HERE / "swift"):
        for program in sorted((root / "programs").iterdir()):
            file = program / "expected.json"
            expected = json.loads(file.read_text())
            if not expected.get("class") or program.name in BY_HAND:
                continue
            outputs = root / "outputs" / program.name
            found = None
            for name in ("stderr", "stdout"):
                path = outputs / name
                if found is None and path.exists():
                    text = path.read_bytes().decode("utf-8", "replace")
                    found = (swift_signature if root.name == "swift" else signature)(expected, text)
            if found == expected.get("signature"):
                continue
            wrong += 1
            print(f"{program.name}: {found}")
            if not check:
                expected["signature"] = found
                file.write_text(json.dumps(expected, ensure_ascii=False) + "\n")
    sys.exit(1 if check and wrong else 0)


if __name__ == "__main__":
    main()
