"""What happens to a data set, as Prefect events and artifacts; automations listen for the names that stand here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.events import emit_event

from flows.publishing.gate_report import GateReport
from flows.publishing.inbox import Taking

GATE_REJECTED = "shuzhi.gate.rejected"
RELEASE_PUBLISHED = "shuzhi.release.published"
RESOURCE_PREFIX = "shuzhi.data-set."
MOST_SHOWN_ROWS = 200


def tell(event: str, data_set: str, facts: Mapping[str, Any]) -> None:
    """Emit an event about a data set; what it says stands in the payload."""
    resource = {"prefect.resource.id": f"{RESOURCE_PREFIX}{data_set}", "prefect.resource.name": data_set}
    emit_event(event=event, resource=resource, payload=dict(facts))


def show_taking(taking: Taking) -> None:
    """Show what was taken out of the inbox, and first what was left there."""
    if not taking.rows:
        return
    order = {"left": 0, "taken": 1, "known": 2}
    rows = sorted(taking.rows, key=lambda row: (order[row.state], row.inbox_file))[:MOST_SHOWN_ROWS]
    table = [{name: str(value) for name, value in vars(row).items()} for row in rows]
    counts = ", ".join(f"{taking.count(state)} {state}" for state in ("taken", "known", "left"))
    create_table_artifact(key="inbox", table=table, description=f"Inbox: {counts}")


def show_gate(gate: GateReport) -> None:
    """Show every check of the gate."""
    create_markdown_artifact(key="gate", markdown=gate.to_markdown(), description=gate.verdict)


def show_release(text: str, description: str) -> None:
    """Show what was published, or why nothing was."""
    create_markdown_artifact(key="release", markdown=text, description=description)
