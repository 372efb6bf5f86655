"""What can become of a request to the API server, besides an answer."""


class KubeError(Exception):
    """The API server refused, or could not be asked. `code` is 0 when there was no answer. Trying again may help."""

    def __init__(self, what: str, code: int = 0, reason: str = "") -> None:
        """Take what happened, the HTTP status and Kubernetes' reason."""
        super().__init__(what)
        self.code = code
        self.reason = reason


class ConflictError(KubeError):
    """The object is not what we thought it was, or another manager owns a field: look again."""


class InvalidError(KubeError):
    """The object is refused for what it says; trying again does not help."""


class GoneError(KubeError):
    """The kind or the object is not there."""


def error_of(code: int, reason: str, what: str) -> KubeError:
    """Return the error for an answer other than 2xx."""
    kinds: dict[int, type[KubeError]] = {404: GoneError, 409: ConflictError, 400: InvalidError, 422: InvalidError}
    return kinds.get(code, KubeError)(what, code, reason)
