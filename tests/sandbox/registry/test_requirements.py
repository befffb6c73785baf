"""requirements.txt: what is refused, on which line, and that nothing else changes on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.registry.errors import RequirementError
from sandbox.registry.requirements import parse_requirements

HOSTILE = {
    "an editable folder": "-e ./pkg",
    "an editable folder, long": "--editable=.",
    "another index": "--index-url https://evil.example/simple",
    "another index, short": "-i https://evil.example/simple",
    "an extra index": "--extra-index-url https://evil.example/simple",
    "a folder of wheels": "--find-links /tmp",
    "a folder of wheels, short": "-f /tmp",
    "another file": "-r /etc/passwd",
    "constraints": "-c ../../secrets",
    "a trusted host": "--trusted-host evil.example",
    "a permission to build": "--no-binary :all:",
    "a relative path": "./pkg",
    "the folder itself": ".",
    "a parent folder": "../pkg",
    "an absolute path": "/etc/passwd",
    "a home folder": "~/pkg",
    "a path of another system": "C:\\pkg",
    "a URL": "https://evil.example/pkg-1.0-py3-none-any.whl",
    "a named URL": "pkg @ https://evil.example/pkg-1.0-py3-none-any.whl",
    "a named file": "pkg @ file:///tmp/pkg",
    "a named path": "pkg @ ./pkg",
    "git": "git+https://evil.example/pkg",
    "named git": "pkg @ git+ssh://git@evil.example/pkg",
    "a variable in a name": "${HOME}",
    "a variable in a URL": "pkg @ https://${TOKEN}@evil.example/x",
    "a variable in a marker": "pkg; python_version > '$X'",
    "a continuation": "numpy \\",
    "letters that look like others": "nump\u0443",
    "an unseen space": "numpy\u200b",
    "a control character": "numpy\x1b[2K",
    "a hash option": "six==1.17.0 --hash=sha256:" + "0" * 64,
    "a config setting": "six --config-settings=x=y",
    "a fragment": "six#egg=other",
    "two on a line": "six numpy",
    "a bad specifier": "numpy>=>2",
    "an overlong line": "numpy" + "x" * 400,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_requirement_that_is_no_name_with_specifiers_is_refused_with_its_line_number(line):
    text = f"# what we need\n\nnumpy>=2  # arrays\n{line}\npolars\n"
    with pytest.raises(RequirementError, match=r"requirements.txt line 4: ") as refused:
        parse_requirements(text)
    assert refused.value.line == 4


@pytest.mark.parametrize("twin", ["zope-interface", "Zope_Interface", "zope.interface"])
def test_a_package_named_twice_is_refused_with_the_second_line_number(twin):
    with pytest.raises(RequirementError, match="line 5: this package stands twice"):
        parse_requirements(f"# comment\n\nzope.interface>=5\n# comment\n{twin}<9\n")


def test_a_thousand_lines_are_refused_at_the_first_one_too_many():
    with pytest.raises(RequirementError, match="line 201: more than 200 lines"):
        parse_requirements("\n" * 1000)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_an_option_behind_an_odd_line_end_is_refused(separator):
    with pytest.raises(RequirementError, match="options are not taken"):
        parse_requirements(f"numpy{separator}-e .")


def test_names_extras_specifiers_and_markers_are_taken():
    text = (
        "numpy>=2,<3  # arrays\n\nhttpx[http2]; python_version < '3.12'\n  # nothing\nsix==1.17.0"
    )
    assert [str(requirement) for requirement in parse_requirements(text)] == [
        "numpy<3,>=2",
        'httpx[http2]; python_version < "3.12"',
        "six==1.17.0",
    ]


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,12}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True)
SPECIFIERS = st.lists(
    st.tuples(st.sampled_from(["==", ">=", "<", "!=", ">"]), VERSIONS).map("".join), max_size=3
).map(",".join)
EXTRAS = st.lists(NAMES, max_size=2).map(lambda names: f"[{','.join(names)}]" if names else "")
MARKERS = st.sampled_from(["", "; python_version < '3.12'", "; sys_platform == 'linux'"])
PLAIN = st.tuples(NAMES, EXTRAS, SPECIFIERS, MARKERS).map("".join)


@given(st.one_of(PLAIN, st.text(max_size=60), st.text("-./@:+[]=<>;~!'\"$\\#ape 1\n", max_size=40)))
def test_whatever_is_accepted_is_a_name_and_says_the_same_when_read_again(text):
    try:
        accepted = parse_requirements(text)
    except RequirementError:
        return
    for requirement in accepted:
        assert requirement.url is None
        assert requirement.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    written = [str(requirement) for requirement in accepted]
    assert [str(again) for again in parse_requirements("\n".join(written))] == written


@given(PLAIN)
def test_every_plain_requirement_is_accepted(line):
    assert len(parse_requirements(line)) == 1
