"""The Salesforce emulator as a process, and what its control port refuses."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from support.salesforce import account, org

ROOT = Path(__file__).parents[2]
RUN = """
import asyncio, sys
from counterfoil_adapters.salesforce.emulator import serve
sys.exit(asyncio.run(serve(sys.argv[1:])))
"""


def test_the_process_says_where_it_is_speaks_https_and_stops_on_sigterm() -> None:
    roots = os.pathsep.join(str(ROOT / name) for name in ("engine", "adapters", "schema"))
    arguments = ("--port", "0", "--json", "--tls", "--seed", "7", "--daily-calls", "1", "--multi-currency")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": roots},
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with requests.Session() as session:
            session.trust_env = False
            session.verify = ready["ca_file"]
            form = {name: ready[name] for name in ("client_id", "client_secret")}
            token = session.post(
                ready["base_url"] + "/services/oauth2/token",
                data={"grant_type": "client_credentials", **form},
                timeout=30,
            ).json()
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            url = ready["base_url"] + "/services/data/v66.0/sobjects/Account/describe"
            answers = [session.get(url, headers=headers, timeout=30) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert [one.status_code for one in answers] == [200, 403]
    assert "CurrencyIsoCode" in {one["name"] for one in answers[0].json()["fields"]}
    assert token["id"].startswith(ready["base_url"] + "/id/" + ready["org_id"])


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/load", {"records": {"Account": [{"Nmae": "A"}]}}, "Nmae"),
        ("/load", {"records": {"Nothing": [{"Name": "A"}]}}, "does not exist"),
        ("/setup", {"objects": {"Order__c": {}}}, "prefix"),
        ("/setup", {"fields": {"Account": "Key__c:colour"}}, "Key__c:colour"),
        ("/people/Account/merge", {"master": "001", "merged": "001"}, "does not exist"),
        ("/faults", {"kind": "earthquake"}, "kind"),
        ("/clock", {}, "advance_seconds"),
    ],
)
async def test_the_control_port_names_what_is_wrong(path: str, body: object, word: str) -> None:
    async with org() as held:
        url = held.emulator.control_url + path
        async with held.http.post(url, json=body) as answer:
            assert 400 <= answer.status < 500
            assert word in await answer.text()


async def test_merging_and_bringing_back_leave_what_salesforce_leaves() -> None:
    async with org() as held:
        one, other = (await held.load(Account=[account(1), account(2)]))["Account"]
        await held.control("POST", "/people/Account/merge", {"master": one, "merged": other})
        state = held.emulator.org.tables["Account"].rows[other]
        assert (state.values["IsDeleted"], state.values["MasterRecordId"]) == (True, one)
        await held.control("POST", f"/people/Account/{other}/undelete")
        assert (state.values["IsDeleted"], state.values["MasterRecordId"]) == (False, None)
