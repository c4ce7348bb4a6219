"""Compiles the readers of frames and events where there is a C compiler; without one events cost more."""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.errors import BaseError, CCompilerError

PACKAGES = Path("bench")
SOURCES = (Path("streamgauge/wire/_frames.c"), Path("streamgauge/protocol/_native.c"))
INCLUDED = Path("streamgauge/utf8.h")
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra"]


class CompiledReaders(BuildHookInterface[Any]):
    """Puts each compiled module beside its source, from where an editable install takes it too."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have a wheel know that it is for this Python and machine alone."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        included = [str(root / PACKAGES / INCLUDED)]
        modules = []
        for source in SOURCES:
            name, text = ".".join(source.with_suffix("").parts), str(root / PACKAGES / source)
            modules.append(Extension(name, [text], depends=included, extra_compile_args=FLAGS))
        command = Distribution({"name": "streamgauge", "ext_modules": modules}).get_command_obj("build_ext")
        command.build_lib = str(root / PACKAGES)
        command.build_temp = str(root / "build")
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        compiled = [PACKAGES / source.with_suffix(suffix) for source in SOURCES]
        for module in compiled:  # an older one would be imported where this one fails
            (root / module).unlink(missing_ok=True)
        try:
            command.ensure_finalized()
            command.run()
        except (BaseError, CCompilerError) as error:
            sys.stderr.write(f"streamgauge: nothing is compiled, so that events cost more: {error}\n")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"] += map(str, compiled)
