"""The chatbot once per environment, the pipeline that delivers it, and the state that both stand on."""

import shutil
import sys
from pathlib import Path

from stacks.loading import load_project
from stacks.package import Package, PackageError
from stacks.project import Project, SettingsError

LOCK = Path(__file__).with_name(".terraform.lock.hcl")

# What `cdktf init` turns on for a new project; it stands here because cdktf.json's context reaches the CLI's runs only.
CONTEXT = {"excludeStackIdFromLogicalIds": "true", "allowSepCharsInLogicalIds": "true"}


def synthesize(project: Project, package: Package, folder: Path | None = None) -> Path:
    """Write every stack to ``folder`` (``cdktf.out`` unless given), the provider lock beside it; return the folder."""
    from cdktf import App

    from stacks.access import AccessStack
    from stacks.chatbot import ChatbotStack
    from stacks.pipeline import PipelineStack
    from stacks.state import StateStack

    app = App(outdir=str(folder) if folder else None, context=CONTEXT, stack_traces=False)
    StateStack(app, project=project)
    # Before what it delivers: CodePipeline's limits are met here.
    PipelineStack(app, project=project)
    for environment in project.environments:
        ChatbotStack(app, project=project, environment=environment, package=package)
        if project.is_remote(environment):
            AccessStack(app, project=project, environment=environment)
    app.synth()
    for stack in Path(app.outdir).glob("stacks/*/"):
        shutil.copyfile(LOCK, stack / LOCK.name)
    return Path(app.outdir)


def main() -> int:
    """Synthesize what settings.py describes; 2 when it cannot be."""
    project = load_project()
    try:
        synthesize(project, Package())
    except (SettingsError, PackageError) as error:
        print(f"main.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
