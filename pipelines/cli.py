"""mfh."""


def main() -> None: ...
