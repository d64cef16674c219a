"""The Terraform command line's configuration: where the provider comes from on this machine."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from delivery.download import this_platform
from delivery.files import write_whole
from delivery.pins import PROVIDER_VERSION

PROVIDER = "registry.terraform.io/hashicorp/aws"
OPT_DEPTH = 4


def configuration_file(tools: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration file Terraform has to use, writing one into ``tools`` unless the user has their own."""
    home = Path(environment.get("HOME", "~")).expanduser()
    for own in (environment.get("TF_CLI_CONFIG_FILE"), home / ".terraformrc"):
        if own and Path(own).is_file():
            return Path(own).absolute()
    cache = Path(environment.get("TF_PLUGIN_CACHE_DIR") or tools / "plugin-cache")
    mirror = find_mirror(mirror_folders(environment))
    if mirror is None:
        cache.mkdir(parents=True, exist_ok=True)
    content = render(mirror=mirror, cache=cache)
    path = tools / "terraform.rc"
    if not path.is_file() or path.read_text() != content:
        write_whole(path, content)
    return path


def render(*, mirror: Path | None, cache: Path) -> str:
    """Return the configuration's text.

    ``direct`` excludes what the mirror has: Terraform would otherwise ask the registry for it as well.
    https://developer.hashicorp.com/terraform/cli/config/config-file#explicit-installation-method-configuration
    """
    if mirror is None:
        return f"disable_checkpoint = true\nplugin_cache_dir   = {json.dumps(str(cache))}\n"
    return f"""disable_checkpoint = true

provider_installation {{
  filesystem_mirror {{
    path    = {json.dumps(str(mirror))}
    include = ["{PROVIDER}"]
  }}
  direct {{
    exclude = ["{PROVIDER}"]
  }}
}}
"""


def find_mirror(folders: Iterator[Path]) -> Path | None:
    """Return the first folder that holds the pinned provider for this machine, unpacked or packed."""
    target = this_platform()
    for folder in folders:
        provider = folder / PROVIDER
        packed = provider / f"terraform-provider-aws_{PROVIDER_VERSION}_{target}.zip"
        if (provider / PROVIDER_VERSION / target).is_dir() or packed.is_file():
            return folder
    return None


def mirror_folders(environment: Mapping[str, str] = os.environ, opt: Path = Path("/opt")) -> Iterator[Path]:
    """Yield where a mirror may lie: the folders Terraform looks into by itself, then those below ``/opt``.

    https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    home = Path(environment.get("HOME", "~")).expanduser()
    yield Path("terraform.d/plugins").absolute()
    yield home / ".terraform.d/plugins"
    if sys.platform == "darwin":
        yield home / "Library/Application Support/io.terraform/plugins"
        yield Path("/Library/Application Support/io.terraform/plugins")
    else:
        yield Path(environment.get("XDG_DATA_HOME") or home / ".local/share") / "terraform/plugins"
        for folder in (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
            yield Path(folder) / "terraform/plugins"
    for depth in range(OPT_DEPTH):
        for host in sorted(opt.glob("/".join(["*"] * depth + ["registry.terraform.io"]))):
            yield host.parent
