"""The keys of a buildspec, as documented.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-syntax
"""

from rehearsal.codebuild.schema import Choice, Flag, Keys, Many, Named, Refused, Shape, Text

PHASES = ("install", "pre_build", "build", "post_build")


def _refused_user() -> Refused:
    return Refused("builds run as the user who rehearses, remove it")


COMMANDS = Many(Text("YAML reads an unquoted colon as a mapping, put the whole command in quotes"))
PHASE: dict[str, Shape] = {
    "run-as": _refused_user(),
    "on-failure": Text(),
    "commands": COMMANDS,
    "finally": COMMANDS,
}
INSTALL: Shape = Keys(PHASE | {"runtime-versions": Named(Text())})
ARTIFACT: dict[str, Shape] = {
    "files": Many(Text()),
    "name": Text(),
    "discard-paths": Flag(),
    "base-directory": Text(),
    "exclude-paths": Many(Text()),
    "enable-symlinks": Flag(),
    "s3-prefix": Text(),
}
SCHEMA = Keys(
    {
        "version": Choice(("0.2",)),
        "run-as": _refused_user(),
        "env": Keys(
            {
                "shell": Choice(("sh", "bash", "/bin/sh")),
                "variables": Named(Text()),
                "parameter-store": Named(Text()),
                "secrets-manager": Named(Text()),
                "exported-variables": Many(Text()),
                "git-credential-helper": Flag(),
            }
        ),
        "proxy": Refused("a build reaches the network through the rehearsal's own proxy, remove it"),
        "batch": Refused("batch builds need several hosts, remove it or rehearse single builds"),
        "phases": Keys(dict.fromkeys(PHASES[1:], Keys(PHASE)) | {"install": INSTALL}),
        "reports": Named(
            Keys(
                {
                    "files": Many(Text()),
                    "base-directory": Text(),
                    "discard-paths": Flag(),
                    "file-format": Text(),
                },
                required=("files",),
            )
        ),
        "artifacts": Keys(ARTIFACT | {"secondary-artifacts": Named(Keys(ARTIFACT, required=("files",)))}),
        "cache": Keys(
            {
                "paths": Many(Text()),
                "key": Text(),
                "fallback-keys": Many(Text()),
                "action": Choice(("restore", "save")),
            }
        ),
    },
    required=("version", "phases"),
)
