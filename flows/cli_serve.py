"""The command that runs a Prefect server and a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    project: Annotated[
        Path, typer.Option(help="Folder with prefect.yaml; the runs take place in it.", show_default="this folder")
    ] = Path(),
    host: Annotated[
        str, typer.Option(help="Address to listen at; other than 127.0.0.1 needs a password, see docs/operations.md.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 4200,
    home: Annotated[
        str, typer.Option(help="Folder for Prefect's database and logs.", show_default="PREFECT_HOME or ~/.prefect")
    ] = "",
    server: Annotated[
        str, typer.Option(help="API of a Prefect server elsewhere: only deploy, and run a worker.", metavar="URL")
    ] = "",
    limit: Annotated[int, typer.Option(help="Runs at a time.")] = 1,
    notify_url: Annotated[
        str,
        typer.Option(
            envvar="SHUZHI_NOTIFY_URL",
            help="Web address that is told when a run fails or the quality gate rejects; the server remembers it.",
            metavar="URL",
        ),
    ] = "",
    notify_format: Annotated[
        str, typer.Option(help="What the web address expects: json, dingtalk, feishu, slack or wecom.")
    ] = "json",
) -> None:
    """Run a Prefect server and a worker with all deployments of prefect.yaml, until Ctrl-C.

    It may be called again and again: what exists is kept. docs/operations.md says how to run it for years.

    Example:  shuzhi serve --home data/prefect
    """
    from pydantic import ValidationError

    from flows.serving.options import ServeParameters
    from flows.settings import usage_error

    given = {
        "project": str(project),
        "host": host,
        "port": port,
        "home": home,
        "server": server,
        "limit": limit,
        "notify_url": notify_url,
        "notify_format": notify_format,
    }
    try:
        parameters = ServeParameters.model_validate(given)
    except ValidationError as error:
        raise usage_error(error, "shuzhi serve") from None
    from flows.serving.serve import serve as serve_forever

    serve_forever(parameters, typer.echo)
