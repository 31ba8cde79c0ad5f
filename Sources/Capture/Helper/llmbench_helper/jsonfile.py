"""Small files of the record, whole or absent."""

import json
import os


def write_json(folder, name, thing):
    """Writes one file of the record; a folder that the program made unwritable is the program's loss, not an error."""
    try:
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        with open(path + ".part", "w") as file:
            json.dump(thing, file, indent=1)
        os.replace(path + ".part", path)
    except OSError:
        pass
