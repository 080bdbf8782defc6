"""The last step of a transaction: what is on trial is confirmed, or the board goes back. Loaded for it."""

from greenmast_fw.storage import revisions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.services.transaction import Answer, Board


def confirm(board: "Board", revision: int) -> "Answer":
    """Answers {"revision"}."""
    status = revisions.status()
    if revision != status["revision"]:
        return revisions.conflict(status, revision)
    if status["confirm_s"]:
        if board.revision != revision:
            return "busy", "revision %d is not in force yet" % revision, dict(status)
        revisions.confirm()
        if board.trial:
            board.trial.left_s = 0
    return "", "", {"revision": revision}


def roll_back(board: "Board", revision: int) -> "Answer":
    """Answers {"revision"} that is in force then."""
    status = revisions.status()
    if status["revision"] < revision < status["next"]:  # done before
        return "", "", {"revision": status["revision"]}
    if revision != status["revision"]:
        return revisions.conflict(status, revision)
    if status["confirm_s"]:
        revisions.roll_back()
        older = revisions.confirmed()
        if board.trial:
            board.trial.left_s = 0
    else:
        older = revisions.step_back(revision)
        if not older:
            return "invalid_value", "there is no revision before %d" % revision, dict(status)
    board.restart()
    return "", "", {"revision": older}
