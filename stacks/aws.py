"""The fast door to the provider's bindings.

The package of the bindings imports all of its 2,100 modules when any one of them is imported. A bare module with the
package's path, registered in its place, lets Python import only those in use; Node.js, where jsii runs the other half
of each binding, is told to do likewise. The same output in a fraction of the time.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

BINDINGS = "cdktf_cdktf_provider_aws"
PROJECT = Path(__file__).parents[1]
PROJECT_NODE = PROJECT / "node_modules" / ".bin" / "node"
UNPACKED = PROJECT / "build" / "cache" / "jsii"

# The package's index requires every module by a line of its own; each becomes a getter that requires it when asked.
# A Node.js without these hooks, or an index written otherwise, loads everything as it would have without them.
# https://nodejs.org/docs/latest-v22.x/api/module.html#moduleregisterhooksoptions
ON_DEMAND = r"""
import module from "node:module";
const line = /^exports\.(\w+) = (require\("\.\/[\w-]+"\));$/gm;
const getter = 'Object.defineProperty(exports, "$1", { enumerable: true, get: () => $2 });';
module.registerHooks?.({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/@cdktf/provider-aws/lib/index.js") || !loaded.source) return loaded;
    return { ...loaded, source: loaded.source.toString().replace(line, getter) };
  },
});
"""


def open_fast_door() -> None:
    """Register the bare package, unless the whole one is loaded already."""
    spec = find_spec(BINDINGS)
    if spec is None or not spec.submodule_search_locations or BINDINGS in sys.modules:
        return
    package = ModuleType(BINDINGS)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[BINDINGS] = package
    preload = f"--import=data:text/javascript,{quote(ON_DEMAND.strip())}"
    options = os.environ.get("NODE_OPTIONS", "")
    if preload not in options:
        os.environ["NODE_OPTIONS"] = f"{options} {preload}".strip()


def prepare_jsii() -> None:
    """Let jsii run on the project's own Node.js, of a version that it supports, and keep here what it unpacks.

    In a home of their own, as CodeBuild has it, each build would unpack the bindings anew.
    """
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(UNPACKED))
    if PROJECT_NODE.exists():
        os.environ.setdefault("JSII_NODE", str(PROJECT_NODE))
    # Node's own warnings would stand between a user and our one line.
    os.environ.setdefault("NODE_NO_WARNINGS", "1")


open_fast_door()
prepare_jsii()
