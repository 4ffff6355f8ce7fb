"""Credentials appear in no output, no log, no message and not in Prefect's database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from econometrics.panel.source_spec import SourceSpec
from flows.fetch_gate import FetchError
from flows.panel_read import find_source
from flows.serving.options import ServeParameters
from flows.settings import FetchParameters, RunParameters, usage_error
from flows.store import Store
from shuzhi import ReadError, RunError, StoreError, UsageError, masked

SECRET = "s3cr3t-4711-planted"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": f"AKIA{SECRET}",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "HTTPS_PROXY": f"http://user:{SECRET}@127.0.0.1:9",
    "MY_API_KEY": SECRET,
    "STORE_PASSWORD": SECRET,
}
ADDRESSES = (
    f"s3://AKIA:{SECRET}@bucket/store",
    f"ftp://user:{SECRET}@host.example/store",
    f"https://host.example/store?token={SECRET}",
    f"https://host.example/a.pdf?page=1&X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}%2F2026",
    f"https://account.blob.example/c?sv=1&sig={SECRET}",
    f"postgresql+psycopg://user:{SECRET}@db.example:5432/panel",
    f"https://{SECRET}-{SECRET}@host.example/x",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("words", ["{}", "store {} is missing; run 'shuzhi read'", "A {} and another {}"])
def test_no_credentials_of_an_address_are_shown(address: str, words: str):
    text = masked(words.format(address, address))
    assert SECRET not in text
    assert "***" in text
    assert address.partition("://")[0] in text


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/prefix",
        "sftp://me@host.example/store",
        "ftp://user:$PASSWORD@host.example/store",
        "https://host.example/a.pdf?page=1&keyword=cloud",
        "/home/a:b@c/reports",
        "C:\\reports\\2020",
        "write to someone@example.org; see https://example.org",
        "云计算：100%",
    ],
)
def test_other_text_stays_as_it_is(text: str):
    assert masked(text) == text


def test_what_the_environment_holds_is_hidden_wherever_it_appears(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert masked(f"The AWS Access Key Id AKIA{SECRET} does not exist") == "The AWS Access Key Id *** does not exist"


@pytest.mark.parametrize("kind", [UsageError, StoreError, RunError])
def test_no_error_of_ours_shows_credentials(kind: type[Exception]):
    assert SECRET not in str(kind(f"store {ADDRESSES[0]} is missing"))
    assert SECRET not in str(ReadError("failed", ADDRESSES[1]))
    assert SECRET not in str(FetchError(f"redirects to {ADDRESSES[2]}"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_parameters_take_no_credentials_because_prefect_keeps_them(address: str):
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match=r"write \$NAME") as error:
        RunParameters(folder="reports", out="out", store=address)
    assert SECRET not in str(usage_error(error.value, "shuzhi run"))
    assert RunParameters(folder="reports", out="out", store="ftp://user:$STORE_PASSWORD@host/store").store_url()


def test_what_the_server_keeps_as_a_secret_may_be_given():
    assert ServeParameters(notify_url=f"https://hooks.example/send?access_token={SECRET}").notify_url


def test_a_variable_in_the_address_of_a_store_is_filled_in_and_not_shown(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("STORE_PASSWORD", SECRET)
    store = Store("memory://$STORE_PASSWORD/store", create=True)
    assert store.url == "memory://$STORE_PASSWORD/store"
    assert store.files.exists(f"/{SECRET}/store/shuzhi.json")
    with pytest.raises(StoreError) as error:
        store.read_part("pages", "key", "part")
    assert SECRET not in str(error.value)
    # A folder may have a dollar sign in its name.
    assert Store(str(tmp_path / "$STORE_PASSWORD"), create=True)
    assert (tmp_path / "$STORE_PASSWORD" / "shuzhi.json").is_file()


def test_a_specification_must_not_hold_a_password(tmp_path: Path, monkeypatch):
    source = SourceSpec(format="sql", database=ADDRESSES[5], query="SELECT 1")
    with pytest.raises(UsageError, match=r"write \$NAME") as error:
        find_source(source, tmp_path, None)
    assert SECRET not in str(error.value)
    monkeypatch.setenv("STORE_PASSWORD", SECRET)
    own = SourceSpec(format="sql", database="postgresql://user:$STORE_PASSWORD@db/x", query="SELECT 1")
    assert find_source(own, tmp_path, None) == f"postgresql://user:{SECRET}@db/x"


def test_fetching_takes_no_credentials_in_its_parameters():
    with pytest.raises(ValueError, match=r"write \$NAME"):
        FetchParameters(source=ADDRESSES[2], folder="reports")


def files_with_secret(*folders: Path) -> list[str]:
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and SECRET.encode() in path.read_bytes():
                found.append(str(path))
    return found


def test_a_whole_run_leaves_no_credentials_anywhere(tmp_path: Path):
    reports, home = tmp_path / "reports", tmp_path / "prefect"
    reports.mkdir()
    for year in (2020, 2021):
        text = f"平安银行股份有限公司{year}年年度报告\n股票代码：000001\n" + "公司推进大数据与云计算建设。\n" * 200
        (reports / f"000001_{year}_平安银行.txt").write_text(text, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        **ENVIRONMENT,
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "flows.cli", "--debug", "run", str(reports), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert list(home.rglob("*.db"))
    # No result of a task is kept as a pickle that a later run would load.
    assert not [path for path in (home / "storage").rglob("*") if path.is_file()]
    assert files_with_secret(tmp_path) == []
    refused = subprocess.run(
        [*command, "--store", ADDRESSES[1]],
        env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert refused.returncode != 0
    assert SECRET not in refused.stdout + refused.stderr
    assert files_with_secret(tmp_path) == []
