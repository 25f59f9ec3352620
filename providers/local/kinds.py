"""The two ways to run here, by the word that offers and records use for them."""

from typing import Final

DOCKER: Final = "docker"
PROCESS: Final = "process"
NOTES: Final = {
    DOCKER: "",
    PROCESS: "runs in this Python; CPUs and memory are not limited, data is not write-protected",
}
"""What a user should know before choosing it."""
