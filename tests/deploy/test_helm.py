"""The chart: rendered by Helm itself, held to Kubernetes' own schemas and to our rules.

No cluster runs here: what a cluster would do with it is not tested.
"""

import shutil
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "signalbox"
CASES = [None, *sorted((CHART / "ci").glob("*.yaml"))]
VERSIONS = ("1.33", "1.35", "1.37")
# A kind of Prometheus' operator, which Kubernetes' schemas do not know.
FOREIGN = {"ServiceMonitor"}
UIDS = {
    "api": 64980, "git": 64981, "log": 64984, "exporter": 64986, "code-server": 64982,
    "tick-worker": 64982, "migrate": 64970,
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.stem if case else "default")
def given(request):
    return yaml.safe_load(request.param.read_text()) if request.param else {}


@pytest.fixture(scope="module")
def rendered(given):
    return render(given)


def render(values):
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name="signalbox", namespace="signalbox")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def pods(objects):
    """Component and pod of each workload."""
    return [
        (one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"],
         one["spec"]["template"]["spec"])
        for one in objects
        if one["kind"] in ("Deployment", "StatefulSet", "Job")
    ]  # fmt: skip


def containers(objects):
    return [
        (component, pod, container)
        for component, pod in pods(objects)
        for container in [*pod.get("initContainers", []), *pod["containers"]]
    ]


def test_helm_finds_nothing_wrong_with_it(given, tmp_path):
    # Dagster's chart is fetched when it is installed: without it Helm names it, and that alone.
    alone = helm_python.lint(CHART, given, strict=True)
    assert alone["errors"] == ["chart directory is missing these dependencies: dagster"]
    copy = tmp_path / "signalbox"
    shutil.copytree(CHART, copy)
    described = yaml.safe_load((copy / "Chart.yaml").read_text())
    del described["dependencies"]
    (copy / "Chart.yaml").write_text(yaml.safe_dump(described))
    assert helm_python.lint(copy, given, strict=True)["errors"] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field_of_it(rendered, version):
    for one in rendered:
        if one["kind"] not in FOREIGN:
            kubernetes_validate.validate(one, version, strict=True)


def test_no_process_is_root_or_may_become_it_and_each_has_its_user(rendered):
    found = {}
    for _, pod, container in containers(rendered):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["runAsNonRoot"] is True
        assert not security.get("privileged")
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] != "Unconfined"
        found[container["name"]] = security.get("runAsUser", pod["securityContext"]["runAsUser"])
        assert found[container["name"]] in {*UIDS.values(), 64991}
    assert {name: uid for name, uid in found.items() if name in UIDS} == {
        name: uid for name, uid in UIDS.items() if name != "log"
    }
    assert (found["publisher"], found["signer"]) == (UIDS["log"], 64991)


def test_no_pod_shares_the_nodes_own_or_holds_a_token(rendered):
    for _, pod in pods(rendered):
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]


def test_every_container_has_requests_and_limits(rendered):
    for _, _, container in containers(rendered):
        assert set(container["resources"]) == {"requests", "limits"}
        for bound in container["resources"].values():
            assert set(bound) == {"cpu", "memory"}


def test_secrets_are_files_of_secrets_that_exist_and_no_manifest_has_one(rendered):
    assert "Secret" not in {one["kind"] for one in rendered}
    for _, _, container in containers(rendered):
        for variable in container.get("env", []):
            assert "valueFrom" not in variable
            if variable["name"].endswith(("_FILE", "_PASSWORDS")):
                assert variable["value"].startswith("/srv/signalbox/secrets")
    texts = [
        variable["value"] for _, _, one in containers(rendered) for variable in one.get("env", [])
    ]
    texts += [
        text for one in rendered if one["kind"] == "ConfigMap" for text in one["data"].values()
    ]
    urls = [text for text in texts if "://" in text and "@" in text]
    assert urls
    assert not [url for url in urls if ":" in url.partition("://")[2].partition("@")[0]]


def test_who_runs_provider_code_is_under_the_sandboxes_runtime_or_in_a_user_namespace(rendered):
    sandboxed = [pod for component, pod in pods(rendered) if component in ("git", "tick-worker")]
    assert len(sandboxed) == 2
    for pod in sandboxed:
        assert pod.get("runtimeClassName") or pod["hostUsers"] is False
        for container in pod["containers"]:
            if container["securityContext"].get("procMount") == "Unmasked":
                assert pod["hostUsers"] is False


def test_all_traffic_is_denied_but_what_a_policy_allows(rendered):
    policies = {
        one["metadata"]["name"]: one["spec"] for one in rendered if one["kind"] == "NetworkPolicy"
    }
    assert policies["signalbox-deny-all"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"]
    }  # fmt: skip
    for name, spec in policies.items():
        for peer in [*spec.get("egress", []), *spec.get("ingress", [])]:
            assert peer.get("ports"), name
            for side in peer.get("to", []):
                if side.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                    assert "169.254.0.0/16" in side["ipBlock"]["except"]
    assert "tick-worker" not in str(policies["signalbox-visitors"])


def test_every_policy_selects_what_there_is(rendered):
    components = {component for component, _ in pods(rendered)}
    for one in rendered:
        if one["kind"] in ("PodDisruptionBudget", "Service"):
            selector = one["spec"]["selector"]
            chosen = selector.get("matchLabels", selector)["app.kubernetes.io/component"]
            assert chosen in components


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://signals.example.net"},
        {"tickWorkers": {"replicas": 0}},
        {"sandboxes": {"runtimeClassName": ""}},
        {"sandboxes": {"procMount": "Unmasked"}},
        {"sandboxes": {"seccompProfile": {"type": "Unconfined"}}},
        {"api": {"env": {"SIGNALBOX_SMTP_PASSWORD": "x"}}},
        {"replicas": 3},
    ],
    ids=str,
)
def test_values_that_would_weaken_it_are_refused(wrong):
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmError):
        chart.validate_schema(chart.merge_values(wrong))
