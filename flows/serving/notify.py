"""Prefect automations that tell a web address when a run fails or the quality gate rejects a release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flows.serving.options import NotifyFormat

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.automations import Automation
    from prefect.events.schemas.automations import EventTrigger

BLOCK_NAME = "shuzhi-notifications"
RUN_FAILED = "shuzhi: a run failed"
GATE_REJECTED = "shuzhi: the quality gate rejected a release"
GATE_EVENT = "shuzhi.gate.rejected"
# Deployments of prefect.yaml carry this tag; runs of others on the same server are none of ours.
TAG = "shuzhi"

_RUN_TEXT = (
    "shuzhi: {{ flow.name }}/{{ deployment.name }} {{ flow_run.state.name }}:"
    " {{ (flow_run.state.message or '') | replace('Flow run encountered an exception: ', '') | truncate(1000) }}"
)
_GATE_TEXT = (
    "shuzhi: the quality gate rejected a release of {{ event.resource.name }}:"
    " {{ (([event.payload.verdict] + (event.payload.sentences or [])) | join('; ')) | truncate(1000) }}"
    "{% if event.payload.publish_despite %}; it was published despite: {{ event.payload.publish_despite }}{% endif %}"
)


def create_notifications(url: str, notify_format: NotifyFormat) -> None:
    """Create the automations, or change them to this address; the server keeps both from then on.

    Parameters
    ----------
    url : str
        Web address that gets a POST; kept as a secret of the server.
    notify_format : {'json', 'dingtalk', 'feishu', 'slack', 'wecom'}
        What the address expects.
    """
    from prefect.blocks.webhook import Webhook
    from prefect.types import SecretDict
    from pydantic import SecretStr

    headers = SecretDict({"Content-Type": "application/json; charset=utf-8"})
    block: Any = Webhook(url=SecretStr(url), headers=headers).save(BLOCK_NAME, overwrite=True)
    for automation in (
        _automation(RUN_FAILED, _run_trigger(), block, _payload(_RUN_TEXT, "run-failed", notify_format)),
        _automation(GATE_REJECTED, _gate_trigger(), block, _payload(_GATE_TEXT, "gate-rejected", notify_format)),
    ):
        _save(automation)


def _run_trigger() -> EventTrigger:
    from prefect.events.schemas.automations import EventTrigger
    from prefect.events.schemas.events import ResourceSpecification

    ours = ResourceSpecification.model_validate(
        {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
    )
    # Only the run of a deployment has one; its subflows would be told a second time.
    deployed = ResourceSpecification.model_validate({"prefect.resource.role": "deployment"})
    return EventTrigger(
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed", "prefect.flow-run.TimedOut"},
        match=ResourceSpecification.model_validate({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=[ours, deployed],
        for_each={"prefect.resource.id"},
    )


def _gate_trigger() -> EventTrigger:
    from prefect.events.schemas.automations import EventTrigger

    return EventTrigger(expect={GATE_EVENT})


def _payload(text: str, kind: str, notify_format: NotifyFormat) -> str:
    """Return the template of what is sent; Prefect fills it in, and ``tojson`` quotes it."""
    quoted = "{% set text %}" + text + "{% endset %}"
    bodies: dict[NotifyFormat, str] = {
        "json": '{"kind": ' + json.dumps(kind) + ', "text": {{ text | tojson }}, "event": {{ event.event | tojson }},'
        ' "resource": {{ event.resource | tojson }}, "run": {{ flow_run.name | default("") | tojson }},'
        ' "link": {{ (flow_run | ui_url if flow_run else "") | tojson }}}',
        "dingtalk": '{"msgtype": "text", "text": {"content": {{ text | tojson }}}}',
        "wecom": '{"msgtype": "text", "text": {"content": {{ text | tojson }}}}',
        "feishu": '{"msg_type": "text", "content": {"text": {{ text | tojson }}}}',
        "slack": '{"text": {{ text | tojson }}}',
    }
    return quoted + bodies[notify_format]


def _automation(name: str, trigger: EventTrigger, block: UUID, payload: str) -> Automation:
    from prefect.automations import Automation
    from prefect.events.actions import CallWebhook

    action: Any = CallWebhook(block_document_id=block, payload=payload)
    return Automation(
        name=name,
        description=f"Sends a message to the web address in the block {BLOCK_NAME}",
        trigger=trigger,
        actions=[action],
    )


def _save(automation: Automation) -> None:
    """Create an automation, or change the one of this name."""
    from prefect.automations import Automation

    try:
        known: Any = Automation.read(name=automation.name)
    except ValueError:
        automation.create()
        return
    automation.id = known.id
    automation.update()
