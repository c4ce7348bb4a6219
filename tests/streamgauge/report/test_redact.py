import pytest

from streamgauge.report.redact import REDACTED, digest, redacted, redacted_tree, without_speech

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"Authorization: Bearer {JWT}", f"Authorization: Bearer {REDACTED}"),
        (f"got {JWT}!", f"got {REDACTED}!"),
        ("ws://u1:pass@host/x", f"ws://{REDACTED}@host/x"),
        ("ws://host/x?access_token=abc&n=1", f"ws://host/x?access_token={REDACTED}&n=1"),
        ("run --jwt-secret hunter2 --users 9", f"run --jwt-secret {REDACTED} --users 9"),
        ("run --api-key=hunter2", f"run --api-key={REDACTED}"),
        ("run --secret='two words' --users 9", f"run --secret={REDACTED} --users 9"),
        ('SERVER_TOKEN="two words" serve', f"SERVER_TOKEN={REDACTED} serve"),
        ("key sk-Abcd1234efgh5678IJKL.", f"key {REDACTED}."),
        ("sk-ant-api03-hunter2_x", REDACTED),
        ("sk-live-hunter2", REDACTED),
        ("sk_live_hunter2", REDACTED),
        ("<AKIAIOSFODNN7EXAMPLE>", f"<{REDACTED}>"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", REDACTED),
        ("gho_16C7e42F292c6912E7710c838347Ae178B4a", REDACTED),
        ("github_pat_11ABCDEFG0abcdefghij_klm", REDACTED),
        ("xoxb-123456789012-abcDEF", REDACTED),
        ("xoxp-123456789012-abcDEF", REDACTED),
        ("Basic dXNlcjpwYXNzd29yZA==", f"Basic {REDACTED}"),
        ("Invalid enum value 'the user's words' - at `$.a`", f"Invalid enum value {REDACTED} - at `$.a`"),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, clean: str) -> None:
    assert redacted(text, 1_000) == clean


@pytest.mark.parametrize(
    "text",
    [
        "r-7f3a of u17: gap",
        "request to first event",
        "a token of thanks",
        "eyJ",
        "a task-force-of-many-people",
        "sk-1",
        "BAKIAIOSFODNN7EXAMPLES",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redacted(text, 1_000) == text


@pytest.mark.parametrize(
    "text",
    [
        f"'--secret={REDACTED}' --users 5",
        "--server 'serve --secret=…' --users 5",
        f"'ws://h/?token={REDACTED}' --users 5",
        f"'TOKEN={REDACTED}'\"'\"'' --users 5",
    ],
)
def test_what_is_redacted_stays_as_it_is(text: str) -> None:
    assert redacted(text, 1_000) == text


def test_a_canary_becomes_its_digest() -> None:
    canary = "sgcanaryAbCdEfGhIjKlMnOpQrSt"
    assert redacted(f"<{canary}>", 1_000) == f"<[canary {digest(canary)}]>"
    assert digest(canary) != digest(canary[:-1])
    assert len(digest(canary)) == 8
    assert digest("") == ""


def test_a_long_text_says_what_it_lacks() -> None:
    assert redacted("x" * 1_010, 10) == "x" * 10 + "… (+1,000 characters)"


@pytest.mark.parametrize(
    "piece",
    [
        "a-",
        "token-",
        "--token",
        "eyJ-",
        "Bearer ",
        "Invalid enum value '",
        "x://",
        "sk-",
        "token='",
        "token=\"'",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    assert redacted(piece * 500_000, 2_000).endswith(" characters)")


def test_a_secret_is_found_before_the_text_is_cut() -> None:
    assert "eyJ" not in redacted("x" * 90 + " " + JWT, 100)


def test_a_lone_surrogate_can_be_written() -> None:
    assert redacted("\ud800", 10).encode() == b"?"


def test_a_tree_is_redacted_in_its_keys_and_values() -> None:
    tree = {f"k {JWT}": [{"deep": (JWT, 5, None)}], "token": "short"}
    assert redacted_tree(tree, 99) == {f"k {REDACTED}": [{"deep": [REDACTED, 5, None]}], "token": "short"}


def test_by_name_what_is_called_a_secret_is_one() -> None:
    tree = {"auth": {"jwt_secret": "hunter2", "token_ttl": 5, "token": "", "user": "u1"}}
    kept = {"auth": {"jwt_secret": REDACTED, "token_ttl": 5, "token": "", "user": "u1"}}
    assert redacted_tree(tree, 99, by_name=True) == kept


def test_what_is_of_a_token_is_judged_by_its_value() -> None:
    tree = {"token_use": "access", "token_type": JWT, "my_token_use": "id"}
    assert redacted_tree(tree, 99, by_name=True) == {
        "token_use": "access",
        "token_type": REDACTED,
        "my_token_use": REDACTED,
    }


def test_what_is_said_becomes_its_length_and_digest() -> None:
    plan = {"users": 5, "personas": [{"agent": "sql", "prompts": ["Why?"], "script": [{"text": "Hm"}]}]}
    assert without_speech(plan) == {
        "users": 5,
        "personas": [
            {
                "agent": "sql",
                "prompts": [f"4 characters, {digest('Why?')}"],
                "script": [{"text": f"2 characters, {digest('Hm')}"}],
            }
        ],
    }
