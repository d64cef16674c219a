"""The one file that a team edits: what is deployed, where, and from which repository."""

from stacks.project import Approval, Environment, Project, Provider, Source

PROJECT = Project(
    name="parley",
    bot_name="Parley",
    answer_accuracy=90,
    account="123456789012",
    region="eu-central-1",
    source=Source(provider=Provider.GITHUB, repository="your-team/parley", branch="main"),
    environments=(
        Environment(name="dev"),
        Environment(name="staging"),
        Environment(
            name="prod",
            approval=Approval.ON_CHANGE,
            destructive_approval=True,
            log_retention_days=365,
            deletion_protection=True,
        ),
    ),
)
