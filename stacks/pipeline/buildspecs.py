"""What each build project runs after Build: delivery's commands, and nothing that a person could not run too.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

BUILD = "buildspec.yml"

_HEAD = """\
version: 0.2
env:
  shell: bash
  variables:
    PYTHONPATH: build/delivery
"""

_PYTHON = """\
  install:
    runtime-versions:
      python: 3.13
"""

_CACHE = """\
cache:
  paths:
    - .tools/**/*
"""


def plan(before: str = "", *, reviewed: bool = False) -> str:
    """Plan ``$STACK``, keep its review in ``$REVIEW_BUCKET``, and hand on the plan and its variables.

    The review compares it with the plan in the artifact ``before``, and says which pull request showed it, if any.
    """
    more = f'\n        --before "$CODEBUILD_SRC_DIR_{before}"' if before else ""
    more += '\n        --reviews "$REVIEW_BUCKET"' if reviewed else ""
    return f"""\
{_HEAD}  exported-variables: [HAS_CHANGES, RISK, SUMMARY, PLAN_SHA256, REVIEW_URL]
phases:
{_PYTHON}  build:
    commands:
      - >-
        python3.13 -m delivery plan --stack "$STACK" --out plan --answers --review-bucket "$REVIEW_BUCKET"{more}
      - set -a; . ./plan/variables.env; set +a
artifacts:
  base-directory: plan
  files: ['**/*']
{_CACHE}"""


def apply(plan_artifact: str) -> str:
    """Apply the plan of ``plan_artifact`` to ``$STACK``, if it is the one that ``$PLAN_SHA256`` names."""
    return f"""\
{_HEAD}  exported-variables: [URL]
phases:
{_PYTHON}  build:
    commands:
      - >-
        python3.13 -m delivery apply --stack "$STACK" --plan "$CODEBUILD_SRC_DIR_{plan_artifact}"
        --sha256 "$PLAN_SHA256" --keep --outputs outputs.env
      - set -a; . ./outputs.env; set +a
{_CACHE}"""


def verify() -> str:
    """Talk to the chatbot at ``$URL``."""
    return f"""\
{_HEAD}phases:
{_PYTHON}  build:
    commands:
      - python3.13 -m delivery verify --url "$URL" --environment "$ENVIRONMENT" --release build/release.json
"""


def update(hand_on: str = "") -> str:
    """Bring the pipeline's own stack up to date, then hand on this delivery to the object ``hand_on``, if given."""
    more = f" --hand-on s3://{hand_on}" if hand_on else ""
    return f"""\
{_HEAD}phases:
{_PYTHON}  build:
    commands:
      - python3.13 -m delivery update --stack pipeline{more}
{_CACHE}"""


def review() -> str:
    """Plan the branch in ``$CODEBUILD_SRC_DIR`` with our own delivery, which lies beside it."""
    return """\
version: 0.2
env:
  shell: bash
phases:
  install:
    runtime-versions:
      python: 3.13
      nodejs: 22
  build:
    commands:
      - cd "$CODEBUILD_SRC_DIR_main"
      - >-
        PYTHONPATH=build/delivery python3.13 -m delivery pull-request
        --branch "$CODEBUILD_SRC_DIR" --stacks "$STACKS" --bucket "$BUCKET"
"""


def comment() -> str:
    """Comment on a pull request what the build ``$PLANNED_BUILD`` found."""
    return f"""\
{_HEAD}phases:
{_PYTHON}  build:
    commands:
      - >-
        python3.13 -m delivery comment --build "$PLANNED_BUILD"
        --provider "$PROVIDER" --repository "$REPOSITORY" --bucket "$BUCKET" --name "$NAME" --forks "$FORKS"
"""


def drift() -> str:
    """Tell ``$TOPIC`` what of ``$STACK`` is no longer as it was released."""
    return f"""\
{_HEAD}phases:
{_PYTHON}  build:
    commands:
      - python3.13 -m delivery drift --stack "$STACK" --topic "$TOPIC" --namespace "$NAMESPACE"
"""
