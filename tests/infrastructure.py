"""PostgreSQL and RabbitMQ for tests: a given one, one in Docker, or one started here in private.

In this order: the address in ``JIESU_TEST_POSTGRES`` and ``JIESU_TEST_RABBITMQ``; containers, if a
Docker engine answers; else PostgreSQL out of the wheel and the machine's own rabbitmq-server on
free ports (installed first where we may). What cannot be had fails the tests: nothing is skipped.
What is started here is stopped again, also after a failure and also when we are killed.
"""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from examples import demo
from services import embedded

POSTGRES_IMAGE = "postgres:17"
RABBITMQ_IMAGE = "rabbitmq:4-management"
START_SECONDS = 90.0
PACKAGE_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

# The broker alone holds the pipe we read, so its death ends our reading. It is killed because a
# clean stop takes it seven seconds; its data are thrown away unless we say "keep". epmd is its
# directory of names.
GUARD = """
exec 3>&1 >"$2/guard.log" 2>&1
epmd -port "$ERL_EPMD_PORT" 3>&- &
names=$!
"$1" >&3 2>&1 3>&- &
broker=$!
exec 3>&-
read -r word
kill -KILL $broker $names
wait
[ "$word" = keep ] || rm -rf "$2"
"""

BROKER_CONFIG = """
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api}
default_vhost = {vhost}
default_user = jiesu
default_pass = {password}
log.console = false
disk_free_limit.absolute = 10MB
"""


class MissingInfrastructure(Exception):
    """A server that tests need cannot be had here; the message says what to install."""


# --- PostgreSQL --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server on which a test may create and drop databases."""

    address: str

    def url(self, database: str) -> str:
        """The address of one database, for SQLAlchemy with asyncpg."""
        return make_url(self.address).set(database=database).render_as_string(hide_password=False)

    async def create(self, database: str, template: str = "template1") -> str:
        """Create a database as a copy of a template nobody is connected to; its address."""
        await self._do(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    async def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        await self._do(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    @asynccontextmanager
    async def fresh_database(self, template: str = "template1") -> AsyncIterator[str]:
        """The address of a database of one's own while the block lasts."""
        database = f"jiesu_{secrets.token_hex(6)}"
        url = await self.create(database, template)
        try:
            yield url
        finally:
            await self.drop(database)

    async def _do(self, statement: str) -> None:
        engine = create_async_engine(self.address, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))


@contextmanager
def provide_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A PostgreSQL while the block lasts; ``durable``: one that waits for the disk, to measure."""
    if given := os.environ.get("JIESU_TEST_POSTGRES"):
        yield Postgres(given)
    elif docker_answers():
        with _postgres_in_docker(durable) as server:
            yield server
    else:
        with _postgres_from_wheel(durable) as server:
            yield server


@contextmanager
def _postgres_in_docker(durable: bool) -> Iterator[Postgres]:
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # read when the package is imported
    from testcontainers.community.postgres import PostgresContainer

    command = "postgres -c max_connections=300"
    command += "" if durable else " -c fsync=off -c full_page_writes=off"
    password = secrets.token_hex(12)  # its own default, test:test, is what services refuse
    made = PostgresContainer(POSTGRES_IMAGE, password=password, driver="asyncpg")
    with made.with_command(command) as container:
        yield Postgres(container.get_connection_url())


@contextmanager
def _postgres_from_wheel(durable: bool) -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="jiesu-postgres-"))
    try:
        with embedded.start(home, durable=durable) as server:
            yield Postgres(server.url("postgres"))
    finally:
        shutil.rmtree(home)


# --- RabbitMQ ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broker:
    """A virtual host of one test run. ``api`` is the management address, credentials included."""

    url: str
    api: str


@contextmanager
def provide_rabbitmq() -> Iterator[Broker]:
    """A RabbitMQ with a virtual host nobody else uses while the block lasts."""
    vhost = f"jiesu-{secrets.token_hex(6)}"
    if given := os.environ.get("JIESU_TEST_RABBITMQ"):
        with _given_rabbitmq(given, vhost) as broker:
            yield broker
    elif docker_answers():
        with _rabbitmq_in_docker(vhost) as broker:
            yield broker
    else:
        with _local_rabbitmq(vhost) as broker:
            yield broker


def private_rabbitmq() -> LocalRabbit | DockerRabbit:
    """A RabbitMQ of one's own, also where one is given: it is going to be killed."""
    vhost = f"jiesu-{secrets.token_hex(6)}"
    return DockerRabbit(vhost) if docker_answers() else LocalRabbit(vhost)


@contextmanager
def _given_rabbitmq(address: str, vhost: str) -> Iterator[Broker]:
    """A virtual host made on somebody's broker; its management address may be given too."""
    url = httpx.URL(address)
    guess = f"http://{url.userinfo.decode()}@{url.host}:15672"
    api = os.environ.get("JIESU_TEST_RABBITMQ_API", guess)
    with httpx.Client(base_url=api, timeout=START_SECONDS) as client:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        client.put(f"/api/vhosts/{vhost}").raise_for_status()
        grant = client.put(f"/api/permissions/{vhost}/{url.username}", json=everything)
        grant.raise_for_status()
        try:
            yield Broker(str(url.copy_with(path=f"/{vhost}")), api)
        finally:
            client.delete(f"/api/vhosts/{vhost}").raise_for_status()


@contextmanager
def _rabbitmq_in_docker(vhost: str) -> Iterator[Broker]:
    with DockerRabbit(vhost) as server:
        yield server.broker


class DockerRabbit:
    """A RabbitMQ in a container that may be killed and started again, as LocalRabbit may."""

    def __init__(self, vhost: str) -> None:
        os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # read when the package is imported
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import ExecWaitStrategy

        self._vhost, self._password, self._ports = vhost, secrets.token_hex(12), free_ports(2)
        # Not with its own tools: run too early and as root, they would take its cookie.
        self._up = ExecWaitStrategy(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/5672"])
        self._container = (
            DockerContainer(RABBITMQ_IMAGE)
            .with_env("RABBITMQ_DEFAULT_VHOST", vhost)
            .with_env("RABBITMQ_DEFAULT_USER", "jiesu")
            .with_env("RABBITMQ_DEFAULT_PASS", self._password)
            .with_bind_ports(5672, self._ports[0])  # the same after a restart
            .with_bind_ports(15672, self._ports[1])
            .waiting_for(self._up)
        )

    @property
    def broker(self) -> Broker:
        """Where it is found while it runs."""
        host = f"jiesu:{self._password}@{self._container.get_container_host_ip()}"
        amqp, api = self._ports
        return Broker(f"amqp://{host}:{amqp}/{self._vhost}", f"http://{host}:{api}")

    def __enter__(self) -> DockerRabbit:
        self._container.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._container.stop()

    def start(self) -> None:
        """Start it again, on what it kept."""
        self._container.get_wrapped_container().start()
        self._up.wait_until_ready(self._container)

    def kill(self) -> None:
        """Kill it; its data stay."""
        self._container.get_wrapped_container().kill()


@contextmanager
def _local_rabbitmq(vhost: str) -> Iterator[Broker]:
    with LocalRabbit(vhost) as server:
        yield server.broker


class LocalRabbit:
    """The machine's rabbitmq-server with names, ports, cookie and data of its own, on loopback.

    Runs while the block lasts. In between it may be killed and started again: it comes back on
    the same ports with its data.
    """

    def __init__(self, vhost: str) -> None:
        self._program = _rabbitmq_server()
        amqp, api, names, nodes = free_ports(4)
        password = secrets.token_hex(12)
        self._home = home = Path(tempfile.mkdtemp(prefix="jiesu-rabbitmq-"))
        config = BROKER_CONFIG.format(amqp=amqp, api=api, vhost=vhost, password=password)
        (home / "rabbitmq.conf").write_text(config)
        (home / "enabled_plugins").write_text("[rabbitmq_management].\n")
        self._environment = _broker_environment(home, names, nodes)
        host = f"jiesu:{password}@127.0.0.1"
        self.broker = Broker(f"amqp://{host}:{amqp}/{vhost}", f"http://{host}:{api}")
        self._guard: subprocess.Popen[str] | None = None

    def __enter__(self) -> LocalRabbit:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end("")
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Start it, on what it kept. Raises MissingInfrastructure with what it said."""
        self._guard = _guarded(self._program, self._home, self._environment)
        said = _listen(self._guard, until="completed with")
        if "completed with" not in said:
            self._end("")
            raise MissingInfrastructure(f"RabbitMQ does not start; it said:\n{said}")

    def kill(self) -> None:
        """Kill it as the loss of its machine's power would; its data stay."""
        self._end("keep\n")

    def _end(self, word: str) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            with guard:
                guard.communicate(word)


def _broker_environment(home: Path, names: int, nodes: int) -> dict[str, str]:
    return {
        "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin",
        "HOME": str(home),  # the cookie
        "LC_ALL": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": f"{home.name}@localhost",
        "RABBITMQ_DIST_PORT": str(nodes),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RUNNING_UNDER_SYSTEMD": "1",  # the start script then becomes the broker: one process
    }


def _guarded(program: Path, home: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A broker that lives until our end of its guard's input closes, by our will or our death."""
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "sh", str(program), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=home,
        env=dict(environment),
    )


def _listen(guard: subprocess.Popen[str], until: str) -> str:
    """What the broker says up to a word, to its end, or until it has had time enough."""
    if guard.stdin is None or guard.stdout is None:
        raise TypeError("a guard is started with pipes")
    patience = threading.Timer(START_SECONDS, guard.stdin.close)
    patience.start()
    lines: list[str] = []
    for line in guard.stdout:
        lines.append(line)
        if until in line:
            break
    patience.cancel()
    return "".join(lines)


def _rabbitmq_server() -> Path:
    """The start script itself: Debian wraps it in one that only root may call."""
    found = _find_rabbitmq()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install("rabbitmq-server")
        found = _find_rabbitmq()
    if found is None:
        raise MissingInfrastructure(
            "The tests need RabbitMQ: install rabbitmq-server (Debian: sudo apt-get install "
            "rabbitmq-server; macOS: brew install rabbitmq), or start Docker, or name a broker in "
            "JIESU_TEST_RABBITMQ=amqp://user:password@host:5672/."
        )
    return found


def _find_rabbitmq() -> Path | None:
    if PACKAGE_SERVER.exists():
        return PACKAGE_SERVER
    elsewhere = shutil.which("rabbitmq-server")
    return Path(elsewhere) if elsewhere else None


def _install(package: str) -> None:
    """Install a Debian package; runlevel 1 keeps a container from starting its service too."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    quiet = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    subprocess.run([*quiet, "update"], check=True, env=environment)
    install = [*quiet, "install", "-y", "--no-install-recommends", package]
    subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)


def free_ports(count: int) -> range:
    """Neighbouring free ports, of those the system gives to nobody who asks for any."""
    first = demo.free_ports(count)
    return range(first, first + count)


@functools.cache
def docker_answers() -> bool:
    """Whether a Docker engine runs and lets us in."""
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "info", "--format", "{{.ServerVersion}}"]
    try:
        return subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
