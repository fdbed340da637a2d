"""The JSON Schema of bank files, generated from the pydantic models for editors to complete by.

``python -m forecasting.bank.snapshot`` writes ``questions/schema/*.json``; with ``--check`` it
compares and exits 1 when one is stale.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from forecasting.bank.schema import QuestionFile, ScenarioFile, TextFile, WorldShape, WorldviewFile

SCHEMAS: dict[str, type[BaseModel]] = {
    "question": QuestionFile,
    "scenario": ScenarioFile,
    "text": TextFile,
    "world": WorldShape,
    "worldview": WorldviewFile,
}


def json_schema(name: str) -> str:
    """Give the JSON Schema of one kind of bank file, as the text that is shipped."""
    schema: dict[str, Any] = SCHEMAS[name].model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schemas, or with ``--check`` say which are stale."""
    from forecasting.resources import locate

    folder = Path(locate("questions")) / "schema"
    stale = []
    for name in SCHEMAS:
        path = folder / f"{name}.v1.json"
        wanted = json_schema(name)
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            stale.append(path.name)
            if "--check" not in arguments:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(wanted, encoding="utf-8")
    if "--check" in arguments and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}. Try: python -m forecasting.bank.snapshot\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
