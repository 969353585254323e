"""Links in a tree that is packed here or unpacked from elsewhere."""

from __future__ import annotations


def fault(path: str, target: str) -> str:
    """What is wrong with a link at a path below the root of a tree, which leads to `target`: it
    must stay inside, whatever else lies there. Empty if nothing."""
    if not target:
        return "is a link that leads nowhere: its target is empty"
    if target.startswith("/"):
        return f"is a link to the absolute path {target!r}"
    # Folders above a link are real ones, so leading `..` can be counted. Behind a name they cannot:
    # the name may be a link itself.
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    if up > path.count("/"):
        return f"is a link that leads outside, to {target!r}"
    if ".." in parts[up:]:
        return f"is a link to {target!r}, which goes up again behind a name"
    return ""
