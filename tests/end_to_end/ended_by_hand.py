"""What buttons of Dagster's page ask: a run that finds its rows locked, and its end.

Runs in a container of the deployment, which has the network that the page is in.
"""

import json
import time
import urllib.request

URL = "http://dagster-webserver:8702/dagster/graphql"
PLACES = """
{repositoriesOrError {... on RepositoryConnection {nodes {name location {name}}}}}
"""
LAUNCH = """
mutation($p: ExecutionParams!) {launchRun(executionParams: $p) {
  ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}
"""
STATUS = "query($r: ID!) {runOrError(runId: $r) {... on Run {status}}}"
TERMINATE = """
mutation($r: String!) {terminateRun(runId: $r) {__typename ... on TerminateRunFailure {message}}}
"""


def ask(query: str, **variables: object) -> dict:
    """The only answer to a query."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    asked = urllib.request.Request(URL, body, {"content-type": "application/json"})
    answer = json.load(urllib.request.urlopen(asked, timeout=30))  # noqa: S310 - our own
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


def main() -> None:
    """Prints how the run stands, and its id."""
    [place] = ask(PLACES)["nodes"]
    selector = {
        "repositoryLocationName": place["location"]["name"],
        "repositoryName": place["name"],
        "jobName": "retention",
    }
    run = ask(LAUNCH, p={"selector": selector, "runConfigData": {}})["run"]["runId"]
    while ask(STATUS, r=run)["status"] != "STARTED":
        time.sleep(0.2)
    told = ask(TERMINATE, r=run)
    assert told["__typename"] == "TerminateRunSuccess", told
    print(json.dumps([ask(STATUS, r=run)["status"], run]))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
