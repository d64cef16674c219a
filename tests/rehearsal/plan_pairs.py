"""Pairs of configurations between which Terraform plans, and what a review has to make of each plan."""

import json
from dataclasses import dataclass
from typing import Any

Configuration = dict[str, Any]

OLD, NEW = "0ld-hunter2-s3cret", "n3w-hunter3-s3cret"
NUMBER, NEW_NUMBER, SHORT = 48151623, 48151624, "kqzx"
SIGNS = "p<ss&wörd>-h0rse"
SECRETS = (OLD, NEW, str(NUMBER), str(NEW_NUMBER), SHORT, SIGNS, "-h0rse")
"""Nothing of these may be in anything that is written, whatever Terraform makes of them."""


@dataclass(frozen=True)
class Pair:
    """A change from ``before`` to ``after``, its verdict, and its risk."""

    before: Configuration
    after: Configuration
    verdict: str
    risk: str = "ordinary"
    shown: tuple[str, ...] = ()
    """What the review has to say."""


def data(**inputs: Any) -> Configuration:
    """A configuration of ``terraform_data`` resources; a dict with ``of`` gives more arguments than the input."""
    resources = {name: value["of"] if _more(value) else {"input": value} for name, value in inputs.items()}
    return {"resource": {"terraform_data": resources}} if resources else {}


def of(**arguments: Any) -> dict[str, Any]:
    """The arguments of a resource."""
    return {"of": arguments}


def secret(value: str) -> str:
    """An expression of a value that is marked as sensitive."""
    return f'${{sensitive("{value}")}}'


def _more(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"of"}


def many(count: int, value: str) -> Configuration:
    """So many resources."""
    return data(many=of(count=count, input=value))


def each(*keys: str, value: str = "${each.key}") -> Configuration:
    """A resource for every key."""
    return data(each=of(for_each=f"${{toset({json.dumps(keys)})}}", input=value))


def outputs(**values: Any) -> Configuration:
    """Outputs, and a resource that stays."""
    named = {name: {"value": value} for name, value in values.items()}
    return data(stays="one") | ({"output": named} if named else {})


HOSTILE = "a`b</main>\u202e[x](y) *z*"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
WIDER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:*"], "Resource": "*"}]}
NESTED = {"a": [{"b": {"c": [1, 2, {"d": "old"}]}}]}
NESTED_NEW = {"a": [{"b": {"c": [1, 3, {"d": "new", "e": None}]}}]}

PAIRS: dict[str, Pair] = {
    "nothing": Pair(data(a="one"), data(a="one"), "no changes", "none", ("Nothing changes.",)),
    "nothing of nothing": Pair({}, {}, "no changes", "none"),
    "add one": Pair({}, data(a="one"), "1 to add", shown=("+ terraform_data.a",)),
    "add some": Pair({}, each("x", "y", "z"), "3 to add", shown=('+ terraform_data.each["y"]',)),
    "add 500": Pair({}, many(500, "one"), "500 to add"),
    "change one": Pair(data(a="one"), data(a="two"), "1 to change", shown=('!   input: "one" -> "two"',)),
    "change 500": Pair(many(500, "one"), many(500, "two"), "500 to change"),
    "change inside": Pair(data(a=NESTED), data(a=NESTED_NEW), "1 to change", shown=("input.a[0].b.c[1]: 2 -> 3",)),
    "change a type": Pair(data(a="one"), data(a=["one"]), "1 to change"),
    "change to nothing": Pair(data(a="one"), data(a=None), "1 to change", shown=('-   input: "one"',)),
    "change lines": Pair(data(a="one\ntwo"), data(a="one\n```\n# No changes\nthree"), "1 to change"),
    "change a document": Pair(
        data(a=json.dumps(DOCUMENT)), data(a=json.dumps(WIDER)), "1 to change", "sensitive", ("+     action s3:*",)
    ),
    "change what is unknown": Pair(
        data(a=of(triggers_replace="1"), b="${terraform_data.a.id}"),
        data(a=of(triggers_replace="2"), b="${terraform_data.a.id}"),
        "1 to replace, 1 to change",
        shown=("(known after apply)",),
    ),
    "replace one": Pair(
        data(a=of(triggers_replace="1")),
        data(a=of(triggers_replace="2")),
        "1 to replace",
        shown=("(forces replacement)",),
    ),
    "replace, new one first": Pair(
        data(a=of(triggers_replace="1", lifecycle={"create_before_destroy": True})),
        data(a=of(triggers_replace="2", lifecycle={"create_before_destroy": True})),
        "1 to replace",
    ),
    "replace with another": Pair(
        data(a="one", b=of(lifecycle={"replace_triggered_by": ["terraform_data.a"]})),
        data(a="two", b=of(lifecycle={"replace_triggered_by": ["terraform_data.a"]})),
        "1 to replace, 1 to change",
        shown=("replace by triggers",),
    ),
    "replace 100": Pair(
        data(many=of(count=100, triggers_replace="1")), data(many=of(count=100, triggers_replace="2")), "100 to replace"
    ),
    "destroy one": Pair(
        data(a="one", b="two"), data(a="one"), "1 to destroy", shown=("delete because no resource config",)
    ),
    "destroy some": Pair(each("x", "y", "z"), each("y"), "2 to destroy", shown=("delete because each key",)),
    "destroy all": Pair(data(a="one", b="two", c="three"), {}, "3 to destroy"),
    "destroy 500": Pair(many(500, "one"), {}, "500 to destroy"),
    "destroy among 500": Pair(
        many(500, "one"), many(450, "y" * 300), "50 to destroy, 450 to change", shown=("**Cut for length:**",)
    ),
    "destroy what is hostile": Pair(each(HOSTILE), {}, "1 to destroy"),
    "move one": Pair(
        data(a="one"),
        data(b="one") | {"moved": [{"from": "terraform_data.a", "to": "terraform_data.b"}]},
        "1 to move",
        shown=("moved from terraform_data.a",),
    ),
    "move and change": Pair(
        data(a="one"),
        data(b="two") | {"moved": [{"from": "terraform_data.a", "to": "terraform_data.b"}]},
        "1 to change, 1 to move",
    ),
    "move a key": Pair(
        each("x"),
        each("y", value="x") | {"moved": [{"from": 'terraform_data.each["x"]', "to": 'terraform_data.each["y"]'}]},
        "1 to move",
    ),
    "import one": Pair(
        {},
        data(a=of()) | {"import": [{"to": "terraform_data.a", "id": "imported"}]},
        "1 to import",
    ),
    "import and change": Pair(
        {},
        data(a="one") | {"import": [{"to": "terraform_data.a", "id": "imported"}]},
        "1 to change, 1 to import",
    ),
    "forget one": Pair(
        data(a="one", b="two"),
        data(a="one") | {"removed": [{"from": "terraform_data.b", "lifecycle": {"destroy": False}}]},
        "1 to forget",
        "sensitive",
        ("no longer managed",),
    ),
    "an output alone": Pair(outputs(), outputs(url="https://example.org/"), "outputs change", shown=("+ url:",)),
    "an output that goes": Pair(outputs(url="old"), outputs(), "outputs change", shown=('- url: "old"',)),
    "everything at once": Pair(
        data(a="one", b=of(triggers_replace="1"), c="gone", d="moved", e="forgotten"),
        data(a="two", b=of(triggers_replace="2"), d2="moved", f="new", g=of())
        | {
            "moved": [{"from": "terraform_data.d", "to": "terraform_data.d2"}],
            "import": [{"to": "terraform_data.g", "id": "imported"}],
            "removed": [{"from": "terraform_data.e", "lifecycle": {"destroy": False}}],
        },
        "1 to destroy, 1 to replace, 1 to forget, 1 to add, 1 to change, 1 to import, 1 to move",
        "sensitive",
    ),
    "add a secret": Pair({}, data(a=secret(NEW)), "1 to add"),
    "change a secret": Pair(
        data(a=secret(OLD)), data(a=secret(NEW)), "1 to change", shown=("(sensitive value) -> (sensitive value)",)
    ),
    "replace a secret": Pair(
        data(a=of(triggers_replace=secret(OLD), input=secret(OLD))),
        data(a=of(triggers_replace=secret(NEW), input=secret(OLD))),
        "1 to replace",
    ),
    "destroy a secret": Pair(data(a=secret(OLD)), {}, "1 to destroy"),
    "a secret inside": Pair(
        data(a={"list": ["x", secret(OLD)], "user": "root"}),
        data(a={"list": ["x", secret(NEW)], "user": "admin"}),
        "1 to change",
    ),
    "a secret that is a number": Pair({}, data(a=f"${{sensitive({NUMBER})}}"), "1 to add"),
    "a secret in a text": Pair(
        data(a=f'${{"postgres://root:${{sensitive("{OLD}")}}@db"}}'),
        data(a=f'${{"postgres://root:${{sensitive("{NEW}")}}@db"}}'),
        "1 to change",
    ),
    "a secret in a document": Pair(
        data(a=f'${{jsonencode({{"password" = sensitive("{OLD}")}})}}'),
        data(a=f'${{jsonencode({{"password" = sensitive("{NEW}")}})}}'),
        "1 to change",
    ),
    "a secret that is handed on": Pair(
        data(a=secret(OLD), b="${terraform_data.a.output}"),
        data(a=secret(NEW), b="${terraform_data.a.output}"),
        "2 to change",
    ),
    "a secret number that is handed on": Pair(
        data(a=f"${{sensitive({NUMBER})}}", b="${terraform_data.a.output}"),
        data(a=f"${{sensitive({NEW_NUMBER})}}", b="${terraform_data.a.output}"),
        "2 to change",
    ),
    "a short secret that is handed on": Pair(
        data(a=secret(SHORT), b="${terraform_data.a.output}", c="one"),
        data(a=secret("kqzy"), b="${terraform_data.a.output}", c="two"),
        "3 to change",
        shown=('input: "one" -> "two"',),
    ),
    "a secret in outputs": Pair(
        outputs() | {"output": {"token": {"value": secret(OLD), "sensitive": True}}},
        outputs() | {"output": {"token": {"value": secret(NEW), "sensitive": True}}},
        "outputs change",
    ),
    "a secret variable": Pair(
        data(a="one"),
        data(a="${var.token}") | {"variable": {"token": {"default": NEW, "sensitive": True}}},
        "1 to change",
    ),
    "a secret that was none": Pair(data(a=OLD), data(a=secret(OLD), b="x"), "1 to add, 1 to change"),
    "a secret whose place changes its shape": Pair(
        data(a={"user": "root", "token": secret(OLD)}), data(a=["root", secret(NEW)]), "1 to change"
    ),
    "a secret whose place loses its shape": Pair(
        data(a=["root", secret(OLD)]), data(a={"user": "root", "token": secret(NEW)}), "1 to change"
    ),
    "a secret that a document writes otherwise": Pair(
        data(a=secret(SIGNS)),
        data(
            a=secret(SIGNS),
            b='${jsonencode({Statement = [{Effect = "Allow", Action = terraform_data.a.output}]})}',
            c="${jsonencode({inner = jsonencode({token = terraform_data.a.output})})}",
        ),
        "2 to add",
        "sensitive",
        ("Allow (sensitive value)",),
    ),
    "a hundred secrets": Pair(
        data(many=of(count=100, input=secret(OLD))), data(many=of(count=100, input=secret(NEW))), "100 to change"
    ),
    "2 MB": Pair(
        data(**{f"big{number}": "x" * 100_000 for number in range(6)}, gone="one"),
        data(**{f"big{number}": "y" * 100_000 for number in range(6)}),
        "1 to destroy, 6 to change",
    ),
}
"""Those that need no provider: ``terraform_data`` is built into Terraform."""
