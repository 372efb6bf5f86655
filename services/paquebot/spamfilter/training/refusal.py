"""Why training or measuring cannot begin."""


class TrainingRefused(Exception):  # noqa: N818  (it is an answer to a person)
    """The text says what is wrong and what helps."""
