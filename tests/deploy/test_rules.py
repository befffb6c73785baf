"""Each alert fires once in Prometheus' own test of rules, and none in a healthy house."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.machine import program
from tests.deploy.rule_cases import CASES, HEALTHY, MINUTES

CHECKOUT = Path(__file__).parents[2]
RULES = sorted((CHECKOUT / "deploy" / "prometheus" / "rules").glob("*.yml"))
ALERTS_PAGE = CHECKOUT / "docs" / "operations" / "alerts.md"
FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def rules():
    return [
        rule
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def judged(folder, tests):
    """What promtool says of tests of our rules; JSON is YAML, too."""
    file = folder / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(rule) for rule in RULES], "tests": tests}))
    return subprocess.run(
        [program("promtool"), "test", "rules", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def of_promtool(changed, minutes, firing):
    """Values hold from the first minute on; a name that grows does so each minute."""
    series = {**HEALTHY, **changed}
    return {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": f"{value}x{MINUTES}"}
            for name, value in series.items()
            if value is not None
        ],
        "promql_expr_test": [
            {
                "expr": FIRING,
                "eval_time": f"{minutes}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing
                ],
            }
        ],
    }


def test_nothing_fires_in_a_healthy_house(tmp_path):
    done = judged(tmp_path, [of_promtool({}, MINUTES, [])])
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_of_its_cause_and_no_other_does(tmp_path):
    tests = [of_promtool(case.changed, case.minutes, [case.alert]) for case in CASES]
    done = judged(tmp_path, tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_case_that_should_not_fire_is_noticed(tmp_path):
    """The two tests above can fail."""
    done = judged(tmp_path, [of_promtool({}, MINUTES, ["ApiDown"])])
    assert done.returncode != 0


def test_no_alert_is_without_a_case():
    assert {rule["alert"] for rule in rules()} == {case.alert for case in CASES}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do_and_where_to_read_on(rule):
    notes, name = rule["annotations"], rule["alert"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert notes["summary"]
    assert notes["description"].endswith(".")
    assert notes["runbook"] == f"docs/operations/alerts.md#{name.lower()}"
    sections = ALERTS_PAGE.read_text().split("\n## ")
    [section] = [text for text in sections if text.startswith(f"{name}\n")]
    for part in ("**Means**", "**Look**", "**Mend**"):
        assert part in section


def test_the_page_names_no_alert_that_is_gone():
    named = set(re.findall(r"^## (\w+)$", ALERTS_PAGE.read_text(), re.MULTILINE))
    assert named == {rule["alert"] for rule in rules()}


def test_who_is_told_is_configured_as_alertmanager_understands_it():
    file = CHECKOUT / "deploy" / "alertmanager" / "alertmanager.yml"
    subprocess.run([program("amtool"), "check-config", str(file)], check=True, capture_output=True)
    names = {rule["alert"] for rule in rules()}
    for inhibited in yaml.safe_load(file.read_text())["inhibit_rules"]:
        matchers = [*inhibited["source_matchers"], *inhibited["target_matchers"]]
        named = {name for text in matchers for name in re.findall(r"[A-Z]\w+", text)}
        assert named <= names
