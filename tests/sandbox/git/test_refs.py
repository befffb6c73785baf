"""Refs: main moves forward, tags are made once, and nothing else is taken."""

import subprocess

import pytest


@pytest.fixture(scope="module")
def live(house, ada):
    """A signal with v1.1.0 live, which the attacks below leave as it is."""
    work = house.work(ada, "standing")
    work.commit(tag="v1.1.0")
    pushed = work.push("main", "v1.1.0")
    assert not pushed.refused, pushed.text
    return work


@pytest.fixture
def unchanged(house, live):
    """What was published, and the refs, are the same after the test; the attempt is on record."""
    facts = (
        "select v.version, v.state, v.image_digest, v.commit_sha from registry.version v"
        " join registry.signal s on s.id = v.signal_id where s.name = %s and v.state <> 'rejected'"
    )
    declined = "select count(*) from audit.event where action = 'push.decline' and subject = %s"
    versions, refs = house.ask(facts, live.name), live.remote_refs()
    before = house.ask(declined, f"ada/{live.name}")
    yield live
    assert house.ask(declined, f"ada/{live.name}") > before
    assert house.ask(facts, live.name) == versions
    assert live.remote_refs() == refs
    live.git("checkout", "--quiet", "-B", "main", refs["refs/heads/main"])


def test_moving_a_published_tag_by_force_is_declined_and_audited(house, unchanged):
    unchanged.commit({"more.py": "x = 1\n"}, tag="v1.1.0")
    pushed = unchanged.push("--force", "main", "v1.1.0")
    assert pushed.refused
    assert "v1.1.0 is published: tags never move; tag a greater version" in pushed.text
    audited = house.ask(
        "select subject, detail from audit.event where action = 'push.decline' order by id desc"
        " limit 1"
    )
    assert audited[0][0] == "ada/standing"
    assert "refs/tags/v1.1.0" in audited[0][1]["refs"]
    assert "tags never move" in audited[0][1]["reason"]


def test_deleting_a_published_tag_is_declined(unchanged):
    pushed = unchanged.push("--delete", "v1.1.0")
    assert pushed.refused
    assert "tags never move" in pushed.text


def test_deleting_main_is_declined(unchanged):
    pushed = unchanged.push(":main")
    assert pushed.refused
    assert "main cannot be deleted" in pushed.text


def test_rewriting_main_by_force_is_declined(unchanged):
    unchanged.git("commit", "--quiet", "--amend", "--message", "Rewritten")
    pushed = unchanged.push("--force", "main")
    assert pushed.refused
    assert "main moves forward only; pull first, then push" in pushed.text


def test_an_unrelated_history_on_main_is_declined(unchanged):
    orphan = unchanged.git("commit-tree", "HEAD^{tree}", "-m", "Unrelated")
    pushed = unchanged.push("--force", f"{orphan}:refs/heads/main")
    assert pushed.refused
    assert "main moves forward only" in pushed.text


def test_a_tag_of_a_commit_that_is_not_on_main_is_declined(unchanged):
    orphan = unchanged.git("commit-tree", "HEAD^{tree}", "-m", "Unrelated")
    pushed = unchanged.push(f"{orphan}:refs/tags/v2.0.0")
    assert pushed.refused
    assert "v2.0.0 is not on main: push main first, or both together" in pushed.text


def test_a_tag_of_a_blob_is_declined(unchanged):
    blob = unchanged.git("hash-object", "-w", "app.py")
    pushed = unchanged.push(f"{blob}:refs/tags/v2.0.0")
    assert pushed.refused
    assert "the tag does not point at a commit" in pushed.text


@pytest.mark.parametrize(
    "tag", ["1.2.0", "v2", "v2.0", "v02.0.0", "v2.0.0-rc1", "latest", "v2.0.0x"]
)
def test_a_tag_that_is_no_semver_is_declined(unchanged, tag):
    pushed = unchanged.push(f"HEAD:refs/tags/{tag}")
    assert pushed.refused
    assert f"tag '{tag}' is not vMAJOR.MINOR.PATCH, such as v1.0.0" in pushed.text


def test_a_tag_lower_than_the_last_is_declined(unchanged):
    pushed = unchanged.push("HEAD:refs/tags/v1.0.9")
    assert pushed.refused
    assert "v1.0.9 is not greater than v1.1.0: tag a greater version" in pushed.text


def test_two_tags_at_once_are_declined(unchanged):
    pushed = unchanged.push("HEAD:refs/tags/v2.0.0", "HEAD:refs/tags/v2.1.0")
    assert pushed.refused
    assert "push one tag at a time" in pushed.text


def test_three_thousand_refs_at_once_are_declined(unchanged):
    head = unchanged.git("rev-parse", "HEAD")
    made = "".join(f"create refs/tags/v9.0.{number} {head}\n" for number in range(3000))
    unchanged.git("update-ref", "--stdin", given=made.encode())
    pushed = unchanged.push("refs/tags/v9.0.*:refs/tags/v9.0.*")
    unchanged.git("update-ref", "--stdin", given=made.replace("create", "delete").encode())
    assert pushed.refused
    assert "push main and one tag at a time" in pushed.text


@pytest.mark.parametrize(
    "ref",
    [
        "refs/notes/commits",
        "refs/replace/{head}",
        "refs/heads/v1.1.0",
        "refs/heads/refs/tags/v1.1.0",
        "refs/heads/feature",
        "refs/signalbox/x",
        "refs/heads/main2",
    ],
)
def test_a_ref_that_is_neither_main_nor_a_version_tag_is_declined(unchanged, ref):
    ref = ref.format(head=unchanged.git("rev-parse", "HEAD"))
    pushed = unchanged.push(f"HEAD:{ref}")
    assert pushed.refused
    assert f"{ref}: only main and version tags are taken" in pushed.text


def test_the_same_new_tag_pushed_twice_at_once_is_published_once(house, ada, work):
    slow = "import time\ntime.sleep(1.5)\nfrom signalbox import Forecast\n"
    answer = 'def forecast(window):\n    return [Forecast("EURUSD", horizon_hours=1, point=0.0)]\n'
    work.commit({"app.py": slow + answer}, tag="v1.0.0")
    assert not work.push("main").refused
    twin = house.work(ada, work.name)
    twin.git("fetch", "--quiet", str(work.folder), "refs/tags/v1.0.0:refs/tags/v1.0.0")
    pushes = [one.start_push("v1.0.0") for one in (work, twin)]
    texts = [push.communicate(timeout=120)[0] for push in pushes]
    assert sorted(push.returncode for push in pushes) == [0, 1], texts
    (loser,) = (text for text, push in zip(texts, pushes, strict=True) if push.returncode)
    assert "v1.0.0 is already reserved by another push; wait for it to end" in loser
    assert house.versions(work.name) == {"v1.0.0": "live"}
    leaves = house.ask(
        "select count(*) from transparency.leaf l join registry.signal s on s.id = l.signal_id"
        " where s.name = %s and l.kind = 'version/v1'",
        work.name,
    )
    assert leaves == [(1,)]


def test_a_provider_can_clone_and_fetch_even_with_many_commits_of_their_own(house, ada, work):
    work.commit()
    assert not work.push("main").refused
    other = house.work(ada, work.name)
    other.git("fetch", "--quiet", other.url, "main")
    tree = other.git("write-tree")
    # So many that git compresses what it says it has.
    parent = other.git("commit-tree", tree, "-m", "0")
    for number in range(1, 120):
        parent = other.git("commit-tree", tree, "-p", parent, "-m", str(number))
    other.git("update-ref", "refs/heads/mine", parent)
    head = work.commit({"more.py": "x = 1\n"})
    assert not work.push("main").refused
    other.git("fetch", "--quiet", other.url, "main")
    assert other.git("rev-parse", "FETCH_HEAD") == head


def test_a_tag_whose_publication_failed_at_the_last_step_can_be_pushed_again(house, work):
    with house.superuser() as connection:
        connection.execute("revoke insert on transparency.leaf from signalbox_git")
        work.commit(tag="v1.0.0")
        failed = work.push("main", "v1.0.0")
        connection.execute("grant insert on transparency.leaf to signalbox_git")
    assert "the platform failed, not your push" in failed.text
    assert "refs/tags/v1.0.0" not in work.remote_refs()
    assert house.versions(work.name) == {"v1.0.0": "rejected"}
    again = work.push("v1.0.0")
    assert not again.refused, again.text
    assert house.versions(work.name) == {"v1.0.0": "live"}


def test_a_hook_left_in_a_repository_is_not_run(house, ada, work):
    work.commit()
    assert not work.push("main").refused
    repository = house.repository(ada, work.name)
    canary = repository / "canary"
    (repository / "hooks").mkdir(exist_ok=True)
    for name in ("pre-receive", "update", "post-update"):
        hook = repository / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
        hook.chmod(0o755)
    work.commit({"more.py": "x = 1\n"})
    assert not work.push("main").refused
    assert not canary.exists()
    subprocess.run(["git", "fsck", "--strict"], cwd=repository, check=True, capture_output=True)
