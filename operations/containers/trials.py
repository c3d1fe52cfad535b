"""Projects of the trials' own: secrets, volumes, networks and an address of their own, all thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from examples.demo import free_ports
from operations.containers.compose import HOST, ROOT, Project
from operations.containers.environment import prepared
from operations.containers.image import build

HOME = ROOT / "var/trial"
FILES = (
    "docker-compose.yml",
    "operations/containers/trial.yml",
    "operations/containers/broker-ports.yml",
)


def folder_name() -> str:
    """What the trials of this folder are called by: those of another have other names."""
    return f"jiesu-{sha256(str(ROOT).encode()).hexdigest()[:8]}"


def trial(name: str, **environment: str) -> Project:
    """A project of a trial's own, on the county's folder of the tree."""
    port = free_ports(3)
    own = {
        "GATEWAY_ADDRESS": f"{HOST}:{port}",
        "GATEWAY_OPERATIONS": "on",
        "BROKER_PORT": str(port + 1),
        "BROKER_API_PORT": str(port + 2),
        "JIESU_SECRETS": str(HOME / name),
        "JIESU_CONFIG_DIR": str(ROOT / "config/ziyang"),
    }
    project = f"{folder_name()}-{name}"
    return Project(project, HOME / name / ".env", HOME / name, FILES, {**own, **environment})


def image_name(name: str) -> str:
    """The image of a trial: no deployment of this or another folder runs on it."""
    return f"{folder_name()}:{name}"


@contextmanager
def empty(project: Project) -> Iterator[Project]:
    """A trial's project with nothing there yet but secrets; taken down at the end with all it holds."""
    project.secrets.parent.mkdir(parents=True, exist_ok=True)
    wipe(project)
    try:
        yield prepared(project)
    finally:
        wipe(project)


@contextmanager
def started(project: Project, *words: str) -> Iterator[Project]:
    """A trial's project from nothing, healthy, on an image of this tree."""
    with empty(project) as ready:
        on_tree = ready.on(build(image=image_name("trial")))
        on_tree.up(*words)
        yield on_tree


def wipe(project: Project) -> None:
    """Take a trial down with its volumes; whatever secrets it was started with."""
    if project.secrets.exists():
        project.down("--volumes", "--remove-orphans")


def under(project: Project, tree: Path, files: tuple[str, ...], **more: str) -> Project:
    """The same project as another tree's compose file describes it."""
    environment: Mapping[str, str] = {**project.environment, **more}
    return replace(project, root=tree, files=files, environment=environment)
