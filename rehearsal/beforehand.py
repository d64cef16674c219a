"""What would fail once the pipeline is there, told before anything starts: where the project says how to find out."""

from rehearsal import facts
from rehearsal.configuration import Configuration
from rehearsal.errors import UserError
from rehearsal.workingtree import WorkingTree


def check_environment(configuration: Configuration, to: str | None) -> None:
    """Raise ``UserError`` if the pipeline will not deploy the environment ``to``."""
    if to is not None and configuration.environments:
        configuration.last_stage(to, facts.environments(configuration))


def check_buildspec(configuration: Configuration, tree: WorkingTree) -> None:
    """Raise ``UserError`` if the working tree's buildspec is missing or broken, or the working tree itself is."""
    change, name = tree.change(), configuration.buildspec
    if not name:
        return
    # Imported here: it brings the emulator along, which takes a while to load.
    from rehearsal.codebuild.buildspec import BuildspecError, parse

    if (text := tree.file(change, name)) is None:
        raise UserError(f"{name} is not in what would be pushed; git add it, or see [tool.rehearsal] buildspec")
    try:
        parse(text, name=name)
    except BuildspecError as error:
        raise UserError(str(error)) from None
