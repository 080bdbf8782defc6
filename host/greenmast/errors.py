"""What a user did wrong or cannot have: one line and an exit code, never a stack trace."""

from __future__ import annotations

DONE = 0
REFUSED = 1
USAGE = 2
NO_CONTACT = 3
NOT_AUTHORISED = 4
BAD_INPUT_FILE = 5


class UserError(Exception):
    """Ends a command with `message` on stderr and `exit_code` (see the constants above)."""

    def __init__(self, message: str, exit_code: int = REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
