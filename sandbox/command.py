"""What commands have in common."""

from __future__ import annotations

import argparse
from typing import NoReturn

from typing_extensions import override


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line."""

    @override
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")
