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


def plan() -> str:
    """Plan ``$STACK``, keep its review in ``$REVIEW_BUCKET``, and hand on the plan and its variables."""
    return f"""\
{_HEAD}  exported-variables: [HAS_CHANGES, RISK, SUMMARY, PLAN_SHA256, REVIEW_URL]
phases:
{_PYTHON}  build:
    commands:
      - python3.13 -m delivery plan --stack "$STACK" --out plan --review-bucket "$REVIEW_BUCKET"
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
        --sha256 "$PLAN_SHA256" --outputs outputs.env
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


def update() -> str:
    """Bring the pipeline's own stack up to date."""
    return f"""\
{_HEAD}phases:
{_PYTHON}  build:
    commands:
      - python3.13 -m delivery update --stack pipeline
{_CACHE}"""
