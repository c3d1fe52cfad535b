"""A port is given away once, and by one process."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest

from tests.fixtures import ports
from tests.fixtures.ports import HOST, Ports


def test_ports_are_neighbours_and_given_once() -> None:
    given = Ports()
    taken = [given.take(30) for _ in range(5)]
    assert all(after == before + 1 for each in taken for before, after in pairwise(each))
    assert len({port for each in taken for port in each}) == 5 * 30


def test_who_takes_ports_at_the_same_time_takes_others() -> None:
    one, other = Ports().take(50), Ports().take(50)
    assert not set(one) & set(other)


def test_a_port_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = iter(ports._block, None)  # an earlier run's server may stand in one
    block = next(each for each in blocks if all(map(ports._is_free, each[:6])))
    monkeypatch.setattr(ports, "_block", lambda: block)
    with socket.create_server((HOST, block[1])):
        assert Ports().take(3) == block[3:6]


def test_a_block_whose_guard_stands_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    block = ports._block()
    monkeypatch.setattr(ports, "FIRST", block[0] - 1)
    monkeypatch.setattr(ports, "LAST", block[0] - 1 + ports.BLOCK)
    with pytest.raises(OSError, match="every block"):
        ports._block()
